/** The client of the stock provider. */
export const stockApp = {
  id: 'app',
  secret: 'app-secret',
  redirectUri: 'http://localhost:8080/callback',
  resource: 'https://api.example.com',
};
