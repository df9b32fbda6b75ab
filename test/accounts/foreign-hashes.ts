/** The password of all hashes below. They were made with passlib 1.7.4, bcrypt 4.0.1 and Django 5.2.19. */
export const oddPassword = 'pässwörd 🔑';

export const oddHashes: [name: string, stored: string][] = [
  ["passlib's pbkdf2_sha1", '$pbkdf2$1000$iHGOMeY8B.Bci3FOSQlBKA$shdGeu/VOF.cPTne84QuoKyQrsQ'],
  [
    "passlib's pbkdf2_sha256",
    '$pbkdf2-sha256$1000$ZCxlzPn/vzemtJaSkhJC6A$8BxkTFMvDIqMclaCt2S.yBiQKCYIQ8.4cYdR3JqqP4o',
  ],
  [
    "passlib's pbkdf2_sha512",
    '$pbkdf2-sha512$1000$K8X4/59TirHW.t/7X0vJOQ$UrZxKm/tGJDPbH6kym8Bs/dmgyGdjMQfm8GIfj.fMY3kswFTjgUCpSsbcwGPhFmfqXeM.hAOnMWdM9pNpwiGOA',
  ],
  ["Django's pbkdf2_sha256", 'pbkdf2_sha256$1000$NaCl-salt$fPnsJ3IJAU9fS3+y6/E++IcW3BT03NzyMxcXdaJGpvU='],
  ["Django's pbkdf2_sha1", 'pbkdf2_sha1$1000$NaCl-salt$kSf5HgYsrOinU4hYhXD0j1XZxtc='],
  [
    "passlib's scrypt",
    '$scrypt$ln=10,r=8,p=1$JISQco4xZoxR6v0fQ0hJKQ$+5rWrFWUGO8QInrDh0jlYaMnL03kzEky5Ffu/y0Vk0M',
  ],
  ['bcrypt 2b', '$2b$05$ipETpAfkQYmiQqzn0W/xQuFWAiwdE.z2HW3SQG1hOqxTRzdHpYM9G'],
  ['bcrypt 2a', '$2a$05$CYXFoY.zT1JFU7W80omH6elnGeEks3x/QRTrG/dlWP5c2ROenpUDy'],
  ['bcrypt 2y', '$2y$05$9uF/NXu.JjxFF15ACF4nVuh6mEpuXbzLG3RP0rfxieCg9Q.WAEmuO'],
];

/** The parameters and the account of Firebase's own example (github.com/firebase/scrypt). */
export const firebaseParameters = {
  signerKey: 'jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==',
  saltSeparator: 'Bw==',
  rounds: 8,
  memCost: 14,
};

export const firebaseAccount = {
  password: 'user1password',
  salt: '42xEC+ixf3L2lw==',
  passwordHash: 'lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==',
};
