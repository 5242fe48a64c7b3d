/** What agents get to hear. */
interface ReportAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * `POST /api/pods/{uid}/reports`: this version hears nobody, and says so. An agent gives a report up that is answered so;
 * otherwise it would send it again and again, and a container would wait with its end. Nothing is read of the request.
 */
export const answerPodReports = (): ReportAnswer => ({
  status: 410,
  headers: { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' },
  body: 'this version of the app takes no reports\n',
});
