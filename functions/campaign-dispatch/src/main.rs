#[tokio::main]
async fn main() -> Result<(), aws::Error> {
    aws::queue(campaign_dispatch::handle).await
}
