#[tokio::main]
async fn main() -> Result<(), aws::Error> {
    aws::http(http_api::plain(webhook_ingest::router())).await
}
