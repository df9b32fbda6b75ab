export interface User {
  name: string;
  department: string;
}

/** The users that this service knows. A real service has a database here. */
export const users: readonly User[] = [
  { name: 'Ann Example', department: 'Sales' },
  { name: 'Mia Example', department: 'Contracts' },
];
