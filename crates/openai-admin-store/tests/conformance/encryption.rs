//! Connections to PostgreSQL over TLS, to a separate server with changing certificates.

use std::{error::Error as _, fs, path::PathBuf};

use openai_admin_store::{DatabaseUrl, Error, Result, Store};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::json;
use tempfile::TempDir;

use crate::{cluster::Cluster, support::Database, tenant::Tenant};

/// The number of connections within which a server has reloaded its settings.
const LOOKS_MAX: usize = 10_000;

/// A certificate authority for servers.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: TempDir,
}

impl Authority {
    fn new() -> Self {
        let mut parameters = CertificateParams::new(Vec::new()).unwrap();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("root.pem"), issuer.pem()).unwrap();
        Self { issuer, folder }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("root.pem")
    }

    /// Gives the server a certificate for a name, and waits until it uses it.
    fn certify(&self, cluster: &Cluster, name: &str) {
        let key = KeyPair::generate().unwrap();
        let parameters = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = parameters.signed_by(&key, &self.issuer).unwrap().pem();
        cluster.write_file(&format!("{name}.crt"), &certificate);
        cluster.write_file(&format!("{name}.key"), &key.serialize_pem());
        for setting in [
            format!("alter system set ssl_cert_file = '{name}.crt'"),
            format!("alter system set ssl_key_file = '{name}.key'"),
            "alter system set ssl = on".to_owned(),
            "select pg_reload_conf()".to_owned(),
        ] {
            cluster.execute(&setting);
        }
        let expected = format!("on {name}.crt");
        let shown = "select current_setting('ssl') || ' ' || current_setting('ssl_cert_file')";
        let is_shown = (0..LOOKS_MAX).any(|_| cluster.texts(shown) == [expected.as_str()]);
        assert!(is_shown, "the server does not use its certificate");
    }
}

/// Why a database could not be opened, with all causes.
fn why(opened: Result<Store>) -> String {
    let Err(error) = opened else { panic!("it was opened") };
    assert!(matches!(error, Error::Unavailable(_)), "{error:?}");
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text += &format!(": {cause}");
        source = cause.source();
    }
    text
}

#[test]
fn a_connection_needs_a_valid_certificate_for_the_host() {
    let (cluster, ours, others) = (Cluster::start(), Authority::new(), Authority::new());
    let open = async |host: &str, parameters: &str| {
        let url = cluster.address().replace("127.0.0.1", host) + parameters;
        Store::open(&url.parse().unwrap()).await
    };
    let trusting =
        |authority: &Authority| format!("?sslmode=verify-full&sslrootcert={}", authority.file().display());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let refused = why(open("localhost", &trusting(&ours)).await);
        assert!(refused.contains("server does not support TLS"), "{refused}");

        ours.certify(&cluster, "localhost");
        let url: DatabaseUrl =
            (cluster.address().replace("127.0.0.1", "localhost") + &trusting(&ours)).parse().unwrap();
        let database = Database {
            store: Store::open(&url).await.unwrap(),
            is_in_memory: false,
            url,
            stamps: Default::default(),
        };
        let acme = database.acme(2, json!([{ "id": "group_1", "name": "Team" }])).await;
        every_way(&acme).await;
        let connections =
            "select ssl::text || ' ' || version from pg_stat_ssl join pg_stat_activity using (pid)
                           where application_name = 'openai-admin'";
        let connections = cluster.texts(connections);
        assert!(connections.len() >= 4, "{connections:?}");
        assert!(connections.iter().all(|connection| connection == "true TLSv1.3"), "{connections:?}");

        let refused = why(open("127.0.0.1", &trusting(&ours)).await);
        assert!(refused.contains("certificate not valid for name \"127.0.0.1\""), "{refused}");
        let refused = why(open("localhost", &trusting(&others)).await);
        assert!(refused.contains("invalid peer certificate"), "{refused}");
        for public in ["?sslmode=verify-full", "?sslmode=require"] {
            let refused = why(open("localhost", public).await);
            assert!(refused.contains("UnknownIssuer"), "{refused}");
        }
        for (file, problem) in [("no/such.pem", "No such file"), ("Cargo.toml", "it contains none")] {
            match open("localhost", &format!("?sslmode=require&sslrootcert={file}")).await {
                Err(Error::InvalidValue { expected, .. }) => {
                    assert!(expected.contains(problem), "{expected}")
                }
                other => panic!("{other:?}"),
            }
        }

        others.certify(&cluster, "elsewhere");
        let refused = why(open("localhost", &trusting(&ours)).await);
        assert!(refused.contains("invalid peer certificate"), "{refused}");
        acme.store().close().await;
    });
}

/// Over every kind of connection.
async fn every_way(acme: &Tenant) {
    acme.add("group_1", "user_1").await.unwrap();
    assert_eq!(acme.member_ids("group_1").await, ["user_1"]);
    acme.remove("group_1", "user_1").await.unwrap();
    acme.rename_group("group_1", "Team").await.unwrap();
    assert_eq!(acme.store().verify().await.unwrap(), Vec::<String>::new());
}
