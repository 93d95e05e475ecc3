import { api } from "../api/client";
import { lazy } from "../lazy";
import { CARDS } from "../state/view";
import { t } from "../text/index";
import { Breakdown } from "./breakdown";
import { useOverview, type OverviewData } from "./data";
import { DistributionCard } from "./distribution_card";
import { FunnelCard } from "./funnel_card";
import { HeatMapCard } from "./heat_map_card";
import { MainChart } from "./main_chart";
import { Forbidden, isForbidden, OfflineBanner } from "./notices";
import { Tiles } from "./tiles";
import { TrustLine } from "./trust_line";

const EmptyOrganisation = lazy(async () => (await import("../drawer/empty")).EmptyOrganisation);

export function Overview() {
  const data = useOverview();
  const { error } = data.calls.state.value;
  if (isForbidden(error)) return <Forbidden />;
  if (isEmpty(data)) return <EmptyOrganisation api={api} onArrived={data.reload} />;
  return (
    <>
      <OfflineBanner error={error} />
      <h2 class="only-read">{t("shell.overview")}</h2>
      <TrustLine data={data} />
      <Tiles data={data} />
      <NoCalls data={data} />
      <div class="cards">
        <MainChart data={data} />
        {CARDS.map((card) => <Breakdown key={card} card={card} data={data} />)}
        <HeatMapCard data={data} />
        <FunnelCard data={data} />
        <DistributionCard data={data} />
      </div>
    </>
  );
}

/** Only an organisation without any record has no time of its newest change. */
function isEmpty(data: OverviewData): boolean {
  const { data: answer, status } = data.calls.state.value;
  return status === "ready" && answer !== null && answer.trust.asOf === null && answer.body.totals["calls"] === 0;
}

function NoCalls({ data }: { data: OverviewData }) {
  const { data: answer, status } = data.calls.state.value;
  if (status !== "ready" || answer?.body.totals["calls"] !== 0) return null;
  return <p class="banner is-plain" role="status">{t("card.empty")}</p>;
}
