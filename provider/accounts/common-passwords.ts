/**
 * Common passwords of eight characters or more, in lower case. Attackers try them first. They are the most frequent
 * ones of published lists of leaked passwords, and seasons with years.
 */
export const commonPasswords: ReadonlySet<string> = new Set(
  `
password password1 password12 password123 password1234 password12345 password! password1! passw0rd
passw0rd1 p@ssw0rd p@ssword p@ssw0rd1 p@ssword1 p@$$w0rd pa$$word passwort passwort1 password2 password01
password11 password99 mypassword motdepasse contraseña 12345678 123456789 1234567890 12345678910
0123456789 012345678 0987654321 987654321 9876543210 87654321 11111111 111111111 1111111111 00000000
000000000 0000000000 22222222 33333333 44444444 55555555 66666666 77777777 88888888 888888888 99999999
999999999 12341234 12344321 11223344 1122334455 112233445566 12121212 123123123 1231231234 123321123
147258369 147852369 159753456 123654789 789456123 741852963 963852741 19841984 20202020 10203040
102030405060 31415926 314159265 1234abcd 12345abc 123456abc 123456789a 12345678a 1234567a 1234567q
a1234567 a12345678 a123456789 aa123456 aa12345678 abc12345 abc123456 abc123abc abcd1234 abcdefgh abcdefg1
abcdefghi aaaaaaaa aaaaaaaaa q1w2e3r4 q1w2e3r4t5 1q2w3e4r 1q2w3e4r5t 1q2w3e4r5t6y 1qaz2wsx 1qaz2wsx3edc
1qazxsw2 zaq12wsx zaq1zaq1 qazwsxedc qazwsx123 qweasdzxc qwe123qwe 123qwe123 123qweasd qwertyui qwertyuiop
qwerty12 qwerty123 qwerty1234 qwerty12345 qwerty123456 qwertz123 qwertzuiop azertyuiop azerty123 asdfghjk
asdfghjkl asdf1234 asdfasdf asdasdasd zxcvbnm1 zxcvbnm123 zxcvbnm, qwerqwer iloveyou iloveyou1 iloveyou2
iloveyou! ilovegod loveyou1 lovelove sunshine sunshine1 princess princess1 football football1 baseball
baseball1 basketball superman superman1 spiderman starwars starwars1 pokemon1 pokemon123 whatever
whatever1 trustno1 trustnoone letmein1 letmein! letmein123 letmeinnow welcome1 welcome12 welcome123
welcome1! welcome2 changeme changeme1 changeme123 changeit secret123 topsecret access14 default1 admin123
admin1234 admin12345 admin123456 administrator adminadmin root1234 rootroot toor1234 test1234 test12345
testtest test1test guest123 user1234 username master12 master123 computer computer1 internet internet1
michael1 jennifer jennifer1 jessica1 michelle michelle1 charlie1 danielle samantha victoria alexander
alexandra elizabeth christian christopher benjamin anthony1 brandon1 liverpool liverpool1 chelsea1
arsenal1 barcelona realmadrid manchester mercedes corvette ferrari1 hello123 hello1234 hellohello
dragon123 shadow12 monkey123 freedom1 nintendo1 minecraft fuckyou1 fuckyou2 blink182 november december
september chocolate chocolate1 butterfly butterfly1 cheyenne rainbow1 snowball swordfish midnight marlboro
maverick mustang1 creative platinum steelers garfield guitar123 killer123 scorpion hardcore bismillah
jordan23 qwerty!@ !@#$%^&* !qaz2wsx correcthorsebatterystaple spring2024 summer2024 autumn2024 winter2024
spring2025 summer2025 autumn2025 winter2025 spring2026 summer2026 autumn2026 winter2026
`
    .trim()
    .split(/\s+/),
);
