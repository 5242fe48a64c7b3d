import { parseJson } from '../../../shared/wire/json-text.ts';
import { parseAccessReview } from '../../../shared/wire/kubernetes/access-review.ts';
import type { ApiAnswer } from '../cluster/api.ts';
import type { ClusterFault } from '../cluster/cluster-fault.ts';
import type { RightReview } from '../inspect/app-rights.ts';
import type { Check } from '../inspect/check.ts';
import { judgeRights } from '../inspect/cluster-judgements.ts';
import type { RightFacts } from '../inspect/cluster-judgements.ts';
import { faultPart } from '../inspect/cluster-reader.ts';
import { read } from '../inspect/observed.ts';

/** Asks the API server for each right. */
export async function judgeReviews(
  name: string,
  { who, reviews }: { readonly who: string; readonly reviews: readonly RightReview[] },
  { create }: { readonly create: (path: string, body: object) => Promise<ApiAnswer | ClusterFault> },
): Promise<Check> {
  const rights: RightFacts[] = [];
  for (const { right, review } of reviews) {
    const answer = await create('/apis/authorization.k8s.io/v1/subjectaccessreviews', review);
    if (answer.kind !== 'answered') return judgeRights(name, who, faultPart(answer));
    rights.push({ right, allowed: parseAccessReview(parseJson(answer.text)) ?? false });
  }
  return judgeRights(name, who, read(rights));
}
