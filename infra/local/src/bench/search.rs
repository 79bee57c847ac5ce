//! Search over 100,000 messages of 2,000 people, at 20 calls a second: words that many messages have, few,
//! or none, several words, and people by name and number.

use std::time::{Duration, Instant};

use anyhow::bail;
use local::harness::screen::grouped;
use local::harness::{Check, Screen};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::inbox::webhook;
use crate::load::{self, Load, address, get};
use crate::sending::world;
use crate::settings::Settings;
use crate::{Found, Stage};

const MESSAGES: u32 = 100_000;
const PEOPLE: u32 = 2_000;
const IN_A_WEBHOOK: usize = 50;
const WEBHOOKS_PER_SECOND: u32 = 10;

const PER_SECOND: u32 = 20;
const CALLS: u32 = 2_100;

const P99_MOST_MS: f64 = 100.0;
const LOOK_EVERY: Duration = Duration::from_secs(2);
const MADE_WITHIN: Duration = Duration::from_secs(1_200);

/// What people write about, what many write first. The share of a word falls with its place, as it does in
/// any language, so the first stand in every tenth message and the last in few.
const WORDS: &str = "harga berapa kirim barang pesan mohon terima kasih halo sore pagi siang malam stok warna \
    ukuran transfer bayar alamat ongkir diskon promo kurir pengiriman pesanan sampai kapan garansi rusak tukar \
    kembali bandung jakarta surabaya medan semarang rekening bank nomor resi cek toko cabang buka tutup admin \
    order size color price delivery address payment refund broken thanks please hello invoice receipt discount \
    kemeja celana sepatu sandal jaket topi kaos tas dompet sabuk merah hitam putih biru hijau kuning coklat abu \
    besar kecil sedang panjang pendek lebar murah mahal bagus jelek cepat lambat baru bekas asli palsu grosir \
    eceran lusin kodi kilogram gram meter botol kaleng kardus plastik kertas kaca kayu besi pengepakan penginapan \
    pengajuan pengurus pengaduan penggantian pengembalian penjualan pembelian pembayaran pembatalan pemesanan \
    menunggu mengirim mengambil membayar membatalkan memesan menukar mencari menanyakan menerima berangkat \
    bersama berbeda bermasalah berkurang bertanya terlambat terkirim tersedia termurah terbaru terakhir tercepat";

/// What nobody wrote, although many wrote words that begin alike: the most that is looked at.
const NEVER: &str = "no such pair";

/// What is asked for, in turn.
fn paths(messages: u32) -> [(&'static str, String); 7] {
    let one = messages - messages / 1_000;
    [
        ("frequent word", "/v1/messages?search=harga".to_owned()),
        ("three letters", "/v1/messages?search=pen".to_owned()),
        ("rare word", format!("/v1/messages?search={one}")),
        ("two words", "/v1/messages?search=harga%20barang".to_owned()),
        (
            NEVER,
            "/v1/messages?search=pengiriman%20%22peng%22".to_owned(),
        ),
        ("name", "/v1/contacts?search=ang".to_owned()),
        ("number", "/v1/contacts?search=081200000".to_owned()),
    ]
}

pub(crate) async fn run(screen: &Screen, settings: &Settings) -> anyhow::Result<Found> {
    let messages = settings.scaled(MESSAGES);
    let stage = Stage::set(settings, world(80)).await?;
    let outcome = drive(screen, &stage, messages).await;
    if outcome.is_err() {
        screen.say(&stage.instance.last_words());
    }
    stage.clear().await?;
    outcome
}

async fn drive(screen: &Screen, stage: &Stage, messages: u32) -> anyhow::Result<Found> {
    let began = Instant::now();
    make(stage, messages).await?;
    let made = began.elapsed();
    screen.say(&format!(
        "  {} messages, taken in within {:.0} s",
        grouped(u64::from(messages)),
        made.as_secs_f64()
    ));
    let bearer = format!("Bearer {}", stage.access.api_key);
    let headers = [("authorization", bearer.as_str())];
    let paths = paths(messages);
    let request = |call: u32| get(&paths[call as usize % paths.len()].1, &headers);
    let attempts = load::run(Load {
        address: address(&stage.access.url)?,
        requests: (0..CALLS).map(request).collect(),
        per_second: PER_SECOND,
        repeat: false,
    })
    .await?;
    let refused = attempts.iter().filter(|attempt| !attempt.succeeded());
    let refused = refused.count();
    let mut table = String::new();
    let mut figures = serde_json::Map::new();
    let mut worst: f64 = 0.0;
    for (kind, (name, path)) in paths.iter().enumerate() {
        let of_kind = attempts
            .iter()
            .filter(|attempt| attempt.place % paths.len() == kind);
        let spread = load::spread(name, of_kind);
        let page = stage.api.get(path).await?;
        let found = page["items"].as_array().map_or(0, Vec::len);
        table.push_str(&spread.line);
        figures.insert(
            (*name).to_owned(),
            json!({"took": spread.json, "found_on_a_page": found}),
        );
        worst = worst.max(spread.p99_ms);
    }
    let nothing: Vec<&str> = paths
        .iter()
        .map(|(name, _)| *name)
        .filter(|name| figures[*name]["found_on_a_page"] == 0)
        .collect();
    let checks = vec![
        Check {
            claim: "99 of 100 searches of each kind took less than 100 ms",
            holds: worst < P99_MOST_MS,
            figures: format!("{worst:.1} ms"),
        },
        Check {
            claim: "every search succeeded",
            holds: refused == 0 && attempts.len() == CALLS as usize,
            figures: format!("{} did not", grouped(refused as u64)),
        },
        Check {
            claim: "only what nobody wrote is not found",
            holds: nothing == [NEVER],
            figures: format!("nothing was found of: {}", nothing.join(", ")),
        },
    ];
    Ok(Found {
        table,
        json: figures.into(),
        checks,
    })
}

/// Everybody writes, one after the other.
async fn make(stage: &Stage, messages: u32) -> anyhow::Result<()> {
    let mut chance = StdRng::seed_from_u64(7);
    let words: Vec<&str> = WORDS.split_whitespace().collect();
    let second = stage.world.now_ms() / 1000;
    let said: Vec<Value> = (0..messages)
        .map(|n| {
            let count = chance.random_range(4..=12);
            let text: Vec<&str> = (0..count)
                .map(|_| {
                    let share: f64 = chance.random();
                    words[(share.powi(2) * words.len() as f64) as usize]
                })
                .collect();
            json!({"from": format!("62812{:08}", n % PEOPLE), "id": format!("wamid.search.{n}"),
                "timestamp": (second - i64::from(messages - n) / 50).to_string(), "type": "text",
                "text": {"body": format!("{} {n}", text.join(" "))}})
        })
        .collect();
    load::run(Load {
        address: address(&stage.access.url)?,
        requests: said
            .chunks(IN_A_WEBHOOK)
            .map(|told| webhook(stage, told, &people(told)))
            .collect(),
        per_second: WEBHOOKS_PER_SECOND,
        repeat: true,
    })
    .await?;
    let began = Instant::now();
    loop {
        let taken = unread(stage).await?;
        if taken == u64::from(messages) {
            return Ok(());
        }
        if began.elapsed() > MADE_WITHIN {
            bail!("only {taken} of {messages} messages were taken in");
        }
        sleep(LOOK_EVERY).await;
    }
}

/// What the writers of messages call themselves.
fn people(told: &[Value]) -> Vec<Value> {
    let names = ["Anggi", "Anggun", "Budi", "Citra", "Dewi", "Siti"];
    told.iter()
        .filter_map(|message| message["from"].as_str())
        .map(|from| {
            let number: usize = from[5..].parse().unwrap_or_default();
            let (first, last) = (number % names.len(), number / names.len() % names.len());
            json!({"wa_id": from, "profile": {"name": format!("{} {}", names[first], names[last])}})
        })
        .collect()
}

/// How many messages all chats hold.
async fn unread(stage: &Stage) -> anyhow::Result<u64> {
    let mut sum = 0;
    let mut path = "/v1/chats?limit=100".to_owned();
    loop {
        let page = stage.api.get(&path).await?;
        for chat in page["items"].as_array().into_iter().flatten() {
            sum += chat["unread"].as_u64().unwrap_or(0);
        }
        match page["next"].as_str() {
            Some(next) => path = format!("/v1/chats?limit=100&cursor={next}"),
            None => return Ok(sum),
        }
    }
}
