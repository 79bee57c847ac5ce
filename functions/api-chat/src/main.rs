#[tokio::main]
async fn main() -> Result<(), aws::Error> {
    aws::http(http_api::plain(api_chat::router())).await
}
