import { ApiError, api, Offline } from "../api/client";
import { lazy } from "../lazy";
import { signOut } from "../state/session";
import { CARDS } from "../state/view";
import { t } from "../text/index";
import { Breakdown } from "./breakdown";
import { useOverview, type OverviewData } from "./data";
import { DistributionCard } from "./distribution_card";
import { FunnelCard } from "./funnel_card";
import { HeatMapCard } from "./heat_map_card";
import { MainChart } from "./main_chart";
import { Tiles } from "./tiles";
import { TrustLine } from "./trust_line";

const EmptyOrganisation = lazy(async () => (await import("../drawer/empty")).EmptyOrganisation);

export function Overview() {
  const data = useOverview();
  const { error } = data.calls.state.value;
  if (error instanceof ApiError && error.status === 403) return <Forbidden />;
  if (isEmpty(data)) return <EmptyOrganisation api={api} onArrived={data.reload} />;
  return (
    <>
      {error instanceof Offline && <p class="banner" role="alert">{t("error.offline_banner")}</p>}
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

function Forbidden() {
  return (
    <section class="notice" role="alert">
      <h2>{t("error.forbidden")}</h2>
      <p>{t("error.forbidden_advice")}</p>
      <button type="button" class="page-button is-primary" onClick={() => signOut()}>{t("shell.sign_out")}</button>
    </section>
  );
}
