#[tokio::main]
async fn main() -> Result<(), aws::Error> {
    aws::schedule(campaign_tick::handle).await
}
