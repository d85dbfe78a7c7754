//! Guesses the columns of a table by their headings, in the words of usual exports and of several languages.

/// The headings of address columns, without spaces and punctuation, in order of preference. From exports of Google
/// Admin, Entra, Okta and Workday, and in English, German, French, Spanish, Portuguese, Italian, Dutch, Polish, Swedish,
/// Norwegian, Turkish, Japanese, Chinese, Korean and Russian.
const EMAIL: [&[&str]; 3] = [
    &[
        "email",
        "mail",
        "emailaddress",
        "emailaddressrequired",
        "memberemail",
        "useremail",
        "primaryemail",
        "primaryemailaddress",
        "workemail",
        "workemailaddress",
        "businessemail",
        "companyemail",
        "emailwork",
        "emailprimarywork",
        "primaryworkemail",
        "emailadresse",
        "mailadresse",
        "adresseemail",
        "adressemail",
        "adresseelectronique",
        "courriel",
        "adressecourriel",
        "correoelectronico",
        "correo",
        "direcciondecorreo",
        "direcciondecorreoelectronico",
        "enderecodeemail",
        "correioeletronico",
        "indirizzoemail",
        "indirizzomail",
        "postaelettronica",
        "emailadres",
        "mailadres",
        "adresemail",
        "adresemailowy",
        "epost",
        "epostadress",
        "epostadresse",
        "eposta",
        "epostaadresi",
        "メールアドレス",
        "メール",
        "电子邮件",
        "电子邮箱",
        "邮箱",
        "이메일",
        "이메일주소",
        "электроннаяпочта",
        "адресэлектроннойпочты",
        "почта",
    ],
    &["userprincipalname", "upn", "login", "userlogin"],
    &["username"],
];

/// The headings of group columns, like [`EMAIL`].
const GROUP: [&[&str]; 3] = [
    &[
        "group",
        "groups",
        "groupname",
        "groupnames",
        "groupmemberships",
        "usergroup",
        "usergroups",
        "gruppe",
        "gruppen",
        "gruppenname",
        "groupe",
        "groupes",
        "nomdugroupe",
        "grupo",
        "grupos",
        "gruppo",
        "gruppi",
        "groep",
        "groepen",
        "grupa",
        "grupy",
        "grupp",
        "grupper",
        "grup",
        "gruplar",
        "グループ",
        "组",
        "群组",
        "用户组",
        "그룹",
        "группа",
        "группы",
    ],
    &[
        "team",
        "teams",
        "teamname",
        "teamnames",
        "equipe",
        "equipes",
        "equipo",
        "equipos",
        "squadra",
        "squad",
        "zespol",
        "lag",
        "takim",
        "ekip",
        "チーム",
        "团队",
        "팀",
        "команда",
    ],
    &[
        "department",
        "departmentname",
        "supervisoryorganization",
        "abteilung",
        "departement",
        "service",
        "departamento",
        "dipartimento",
        "reparto",
        "afdeling",
        "dzial",
        "avdelning",
        "avdeling",
        "bolum",
        "departman",
        "部署",
        "部门",
        "부서",
        "отдел",
    ],
];

/// The headings of columns with whole names.
const NAME: [&[&str]; 1] = [&[
    "name",
    "fullname",
    "displayname",
    "worker",
    "employee",
    "nom",
    "nombre",
    "nome",
    "naam",
    "nazwisko",
    "namn",
    "navn",
    "氏名",
    "姓名",
    "이름",
    "имя",
]];
/// The headings of columns with given names, and with family names.
const GIVEN_NAME: [&[&str]; 1] =
    [&["firstname", "givenname", "vorname", "prenom", "firstnamerequired", "imie"]];
const FAMILY_NAME: [&[&str]; 1] =
    [&["lastname", "surname", "familyname", "nachname", "lastnamerequired", "nazwisko"]];

/// The result of guessing a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Guess {
    /// The column at this index.
    One(usize),
    /// Two columns that are equally likely.
    Two(usize, usize),
    None,
}

/// The column with email addresses.
pub(super) fn email(headings: &[String]) -> Guess {
    guess(headings, &EMAIL)
}

/// The column with groups.
pub(super) fn group(headings: &[String]) -> Guess {
    guess(headings, &GROUP)
}

/// The columns that make up the name of a user: a column of whole names, or of given and family names.
pub(super) fn name(headings: &[String]) -> Vec<usize> {
    match (guess(headings, &GIVEN_NAME), guess(headings, &FAMILY_NAME), guess(headings, &NAME)) {
        (Guess::One(given), Guess::One(family), _) => vec![given, family],
        (_, _, Guess::One(column)) => vec![column],
        _ => Vec::new(),
    }
}

fn guess(headings: &[String], words: &[&[&str]]) -> Guess {
    let keys: Vec<String> = headings.iter().map(|heading| key(heading)).collect();
    for words in words {
        let mut found = (0..keys.len()).filter(|column| words.contains(&keys[*column].as_str()));
        match (found.next(), found.next()) {
            (Some(column), None) => return Guess::One(column),
            // A heading that is the plain word wins: `Group` over `Group Name`.
            (Some(first), Some(second)) => {
                let plain = words.first().copied().unwrap_or_default();
                let mut exact = (0..keys.len()).filter(|column| keys[*column] == plain);
                return match (exact.next(), exact.next()) {
                    (Some(column), None) => Guess::One(column),
                    _ => Guess::Two(first, second),
                };
            }
            (None, _) => {}
        }
    }
    Guess::None
}

/// The letters and digits of a heading in lower case, without accents.
fn key(heading: &str) -> String {
    let lower = heading.to_lowercase();
    lower.chars().filter(|c| c.is_alphanumeric()).map(without_accent).collect()
}

/// The letter under an accent, for the languages of the headings.
fn without_accent(c: char) -> char {
    match c {
        'á' | 'à' | 'â' | 'ã' | 'ä' | 'å' | 'ą' => 'a',
        'ç' | 'ć' => 'c',
        'é' | 'è' | 'ê' | 'ë' | 'ę' => 'e',
        'í' | 'ì' | 'î' | 'ï' | 'ı' => 'i',
        'ł' => 'l',
        'ñ' | 'ń' => 'n',
        'ó' | 'ò' | 'ô' | 'õ' | 'ö' | 'ø' => 'o',
        'ú' | 'ù' | 'û' | 'ü' => 'u',
        'ş' | 'ś' => 's',
        'ź' | 'ż' => 'z',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn headings(text: &str) -> Vec<String> {
        text.split(',').map(str::to_owned).collect()
    }

    #[test]
    fn columns_of_usual_exports_and_languages_are_guessed() {
        for (header, email_column, group_column) in [
            ("First Name [Required],Last Name [Required],Email Address [Required],Department", 2, 3),
            ("id,userPrincipalName,displayName,mail,department", 3, 4),
            ("id,userPrincipalName,displayName,department", 1, 3),
            ("login,firstName,lastName,email,groups", 3, 4),
            ("Employee ID,Worker,Email - Primary Work,Supervisory Organization,Team Name", 2, 4),
            ("Name;E-Mail-Adresse;Abteilung".replace(';', ",").as_str(), 1, 2),
            ("Nom,Adresse e-mail,Équipe", 1, 2),
            ("Nombre,Correo electrónico,Equipo", 1, 2),
            ("Nome,Endereço de e-mail,Grupo", 1, 2),
            ("Nome,Indirizzo e-mail,Gruppo", 1, 2),
            ("Naam,E-mailadres,Groep", 1, 2),
            ("Imię,Adres e-mail,Zespół", 1, 2),
            ("Namn,E-postadress,Grupp", 1, 2),
            ("Ad,E-posta,Takım", 1, 2),
            ("氏名,メールアドレス,グループ", 1, 2),
            ("姓名,电子邮件,部门", 1, 2),
            ("이름,이메일,그룹", 1, 2),
            ("Имя,Электронная почта,Группа", 1, 2),
        ] {
            let headings = headings(header);
            assert_eq!(email(&headings), Guess::One(email_column), "{header}");
            assert_eq!(group(&headings), Guess::One(group_column), "{header}");
        }
    }

    #[test]
    fn an_ambiguous_or_unknown_heading_is_not_guessed() {
        assert_eq!(email(&headings("Work Email,User Email")), Guess::Two(0, 1));
        assert_eq!(email(&headings("Work Email,Email")), Guess::One(1));
        assert_eq!(email(&headings("Email,E-Mail")), Guess::Two(0, 1));
        assert_eq!(email(&headings("Manager Email,Name")), Guess::None);
        assert_eq!(group(&headings("isGroup,Group Email")), Guess::None);
    }

    #[test]
    fn names_are_one_column_or_two() {
        for (header, columns) in [
            ("First Name [Required],Last Name [Required],Email", vec![0, 1]),
            ("userPrincipalName,displayName", vec![1]),
            ("Nachname,Vorname,E-Mail", vec![1, 0]),
            ("E-Mail,Team", vec![]),
        ] {
            assert_eq!(name(&headings(header)), columns, "{header}");
        }
    }

    proptest! {
        #[test]
        fn any_headings_are_guessed_within_bounds(headings in prop::collection::vec(any::<String>(), 0..6)) {
            for guess in [email(&headings), group(&headings)] {
                match guess {
                    Guess::One(column) => prop_assert!(column < headings.len()),
                    Guess::Two(first, second) => prop_assert!(first < second && second < headings.len()),
                    Guess::None => {}
                }
            }
        }
    }
}
