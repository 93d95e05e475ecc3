import type { Resource, ResourceState } from "../state/resource";

/** What a card shows of a resource, and how it loads it again. */
export function partOf<T>(resource: Resource<T>): { state: ResourceState<T>; onRetry(): void } {
  return { state: resource.state.value, onRetry: () => void resource.reload() };
}
