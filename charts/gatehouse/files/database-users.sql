-- Two users: the owner changes the schema (`gatehouse migrate`), the other one only reads and writes rows. Run it as an
-- administrator, with both passwords: psql --set owner_password=… --set password=… --file database-users.sql
CREATE ROLE gatehouse_owner LOGIN PASSWORD :'owner_password';
CREATE ROLE gatehouse LOGIN PASSWORD :'password';
-- The administrator of RDS is no superuser: it gives objects only to a role that it is a member of.
GRANT gatehouse_owner TO CURRENT_USER;
CREATE DATABASE gatehouse OWNER gatehouse_owner;
\connect gatehouse
ALTER SCHEMA public OWNER TO gatehouse_owner;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO gatehouse;
ALTER DEFAULT PRIVILEGES FOR ROLE gatehouse_owner IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO gatehouse;
ALTER DEFAULT PRIVILEGES FOR ROLE gatehouse_owner IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO gatehouse;
REVOKE gatehouse_owner FROM CURRENT_USER;
