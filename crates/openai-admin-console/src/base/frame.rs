//! The parts around the content of a page: title, navigation, session.

use axum::http::HeaderMap;

use crate::base::{
    assets,
    cookies::{self, Cookies},
    fields::link,
    moment::Moment,
};

/// A page of the navigation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Section {
    Home,
    Groups,
    Users,
    Projects,
    Roles,
    Invites,
    Keys,
    AuditLogs,
    Usage,
    Runs,
    Emulator,
    /// A page outside the navigation.
    Other,
}

/// An entry of the navigation.
pub(crate) struct NavigationEntry {
    pub(crate) path: &'static str,
    pub(crate) name: &'static str,
    pub(crate) is_current: bool,
}

const NAVIGATION: [(Section, &str, &str); 11] = [
    (Section::Home, "/console", "Overview"),
    (Section::Groups, "/console/groups", "Groups"),
    (Section::Users, "/console/users", "Users"),
    (Section::Projects, "/console/projects", "Projects"),
    (Section::Roles, "/console/roles", "Roles"),
    (Section::Invites, "/console/invites", "Invites"),
    (Section::Keys, "/console/keys", "Admin keys"),
    (Section::AuditLogs, "/console/audit", "Audit log"),
    (Section::Usage, "/console/usage", "Usage and costs"),
    (Section::Runs, "/console/runs", "Runs"),
    (Section::Emulator, "/console/emulator", "Emulator"),
];

/// The session that a page shows.
#[derive(Clone, Debug)]
pub(crate) struct SessionFacts {
    /// The name of the key, or of another caller.
    pub(crate) name: String,
    /// The id of the organization.
    pub(crate) organization: String,
    /// Until when changes are allowed. `None` if the session is read-only.
    pub(crate) unlocked_until: Option<Moment>,
    /// Whether everyone may look and change, as in the emulator.
    pub(crate) is_emulator: bool,
    /// The token of the forms.
    pub(crate) token: String,
}

/// A colour scheme that a visitor chose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    Light,
    Dark,
}

impl Scheme {
    /// The scheme with this name; `None` for that of the system.
    pub(crate) fn named(name: &str) -> Option<Self> {
        [Self::Light, Self::Dark].into_iter().find(|scheme| scheme.name() == name)
    }

    /// The scheme that the visitor of a request chose.
    pub(crate) fn chosen(cookies: Cookies, headers: &HeaderMap) -> Option<Self> {
        cookies.read(headers, cookies::SCHEME).and_then(Self::named)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

/// The parts around the content of a page.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(crate) title: String,
    pub(crate) section: Section,
    pub(crate) session: Option<SessionFacts>,
    /// The path of the page, to return to after a form.
    pub(crate) here: String,
    /// The result of the previous action.
    pub(crate) notice: Option<&'static str>,
    /// The chosen colour scheme; `None` for that of the system.
    pub(crate) scheme: Option<Scheme>,
}

impl Frame {
    /// The frame of a page for a visitor without a session.
    pub(crate) fn without_session(title: &str, here: &str, scheme: Option<Scheme>) -> Self {
        Self {
            title: title.to_owned(),
            section: Section::Other,
            session: None,
            here: here.to_owned(),
            notice: None,
            scheme,
        }
    }

    pub(crate) fn navigation(&self) -> Vec<NavigationEntry> {
        // A server has no controls.
        let is_emulator = self.session.as_ref().is_some_and(|session| session.is_emulator);
        let entry =
            |(section, path, name)| NavigationEntry { path, name, is_current: section == self.section };
        let shown =
            NAVIGATION.into_iter().filter(|(section, ..)| is_emulator || *section != Section::Emulator);
        shown.map(entry).collect()
    }

    /// Whether forms that change something are shown.
    pub(crate) fn may_change(&self) -> bool {
        let session = self.session.as_ref();
        session.is_some_and(|session| session.is_emulator || session.unlocked_until.is_some())
    }

    /// The token of a form.
    pub(crate) fn token(&self) -> &str {
        self.session.as_ref().map_or("", |session| session.token.as_str())
    }

    /// The page that unlocks the session, and leads back here.
    pub(crate) fn unlock(&self) -> String {
        link("/console/unlock", &[("back", &self.here)])
    }

    /// The name of the scheme that is shown, and of each one that can be chosen.
    pub(crate) fn schemes(&self) -> [(&'static str, &'static str, bool); 3] {
        let shown = |scheme: Option<Scheme>| self.scheme == scheme;
        [
            ("", "System", shown(None)),
            ("light", "Light", shown(Some(Scheme::Light))),
            ("dark", "Dark", shown(Some(Scheme::Dark))),
        ]
    }

    pub(crate) fn style(&self) -> String {
        assets::style()
    }

    pub(crate) fn script(&self) -> String {
        assets::script()
    }
}

/// The text of a notice, by its name in the URL. Only known texts are shown, since anyone can write a link.
pub(crate) fn notice(name: &str) -> Option<&'static str> {
    let text = match name {
        "unlocked" => "Unlocked: you can change things for 15 minutes.",
        "locked" => "Locked: this session is read-only.",
        "created" => "Created.",
        "deleted" => "Deleted.",
        "revoked" => "Revoked: the next request with this key is refused.",
        "applied" => "Applied.",
        "saved" => "Saved.",
        "added" => "Added.",
        "removed" => "Removed.",
        _ => return None,
    };
    Some(text)
}
