#[tokio::main]
async fn main() -> Result<(), aws::Error> {
    aws::queue(media_fetch::handle).await
}
