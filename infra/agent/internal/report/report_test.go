package report

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"serverless-kubelet.local/agent/internal/appclient"
)

// app answers as the test says and keeps what it got.
type app struct {
	mu     sync.Mutex
	got    []Message
	at     []time.Duration
	begin  time.Time
	answer func(n int) (appclient.Answer, error)
}

func newApp(answer func(n int) (appclient.Answer, error)) *app {
	return &app{begin: time.Now(), answer: answer}
}

func ok(int) (appclient.Answer, error) { return appclient.Answer{Status: 204}, nil }

func (a *app) post(_ context.Context, body []byte) (appclient.Answer, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	var message Message
	if err := json.Unmarshal(body, &message); err != nil {
		panic(err)
	}
	a.got = append(a.got, message)
	a.at = append(a.at, time.Since(a.begin))
	return a.answer(len(a.got))
}

// sent is all that came, when everybody is at rest.
func (a *app) sent() []Message {
	synctest.Wait()
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.got
}

func (a *app) set(flag *bool, value bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	*flag = value
}

func (a *app) last() Message {
	sent := a.sent()
	return sent[len(sent)-1]
}

func play(t *testing.T, answer func(n int) (appclient.Answer, error), test func(*testing.T, *Reporter, *app)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		app := newApp(answer)
		reporter := New(Identity{PodUID: "u", BootID: "b"}, State{Phase: Running}, app.post)
		ctx, cancel := context.WithCancel(t.Context())
		go reporter.Run(ctx)
		synctest.Wait()
		test(t, reporter, app)
		cancel()
		synctest.Wait()
	})
}

func TestStateGoesOutAtOnceAndOnce(t *testing.T) {
	play(t, ok, func(t *testing.T, r *Reporter, a *app) {
		if len(a.sent()) != 1 || a.last().State.Phase != Running || a.last().Number != 1 {
			t.Fatalf("%+v", a.sent())
		}
		r.Update(func(s *State) { s.Ready = true })
		synctest.Wait()
		if len(a.sent()) != 2 || !a.last().State.Ready || a.last().Number != 2 {
			t.Fatalf("%+v", a.sent())
		}
		r.Update(func(s *State) { s.Ready = true })
		time.Sleep(24 * time.Hour)
		if len(a.sent()) != 2 {
			t.Errorf("an idle agent spoke: %+v", a.sent())
		}
	})
}

func TestTenMinutesWithoutTheApp(t *testing.T) {
	// The clock of a bubble begins on the hour.
	away := func(n int) (appclient.Answer, error) {
		if time.Now().Minute() < 11 {
			return appclient.Answer{}, errors.New("no route to host")
		}
		return ok(n)
	}
	play(t, away, func(t *testing.T, r *Reporter, a *app) {
		r.Event(Warning, "Unhealthy", "x")
		time.Sleep(10 * time.Minute)
		r.Update(func(s *State) { s.Phase = Ended })
		if r.LastFault() != "no route to host" {
			t.Error(r.LastFault())
		}
		time.Sleep(5 * time.Minute)
		if last := a.last(); last.State.Phase != Ended || len(last.Events) != 1 || r.LastFault() != "" {
			t.Errorf("%+v, %q", last, r.LastFault())
		}
		a.sent()
		for index := 1; index < len(a.at); index++ {
			if pause := a.at[index] - a.at[index-1]; pause < firstRetry*8/10 || pause > longestRetry*12/10 {
				t.Errorf("a pause of %v", pause)
			}
		}
	})
}

func TestWhatIsDefinite(t *testing.T) {
	for status, isDefinite := range map[int]bool{
		200: true, 204: true, 400: true, 409: true, 410: true, 413: true, 422: true,
		301: false, 401: false, 403: false, 404: false, 408: false, 429: false, 500: false, 503: false,
	} {
		answer := func(int) (appclient.Answer, error) { return appclient.Answer{Status: status}, nil }
		play(t, answer, func(t *testing.T, r *Reporter, a *app) {
			time.Sleep(10 * time.Second)
			if isDefinite != (len(a.sent()) == 1) {
				t.Errorf("%d was sent %d times", status, len(a.sent()))
			}
			before := len(a.sent())
			r.Update(func(s *State) { s.Ready = true })
			time.Sleep(time.Second)
			if len(a.sent()) == before {
				t.Errorf("%d: the next state was given up too", status)
			}
		})
	}
}

func TestEachTroubleBeginsAnew(t *testing.T) {
	away := true
	answer := func(n int) (appclient.Answer, error) {
		if away {
			return appclient.Answer{}, errors.New("no")
		}
		return ok(n)
	}
	play(t, answer, func(t *testing.T, r *Reporter, a *app) {
		time.Sleep(5 * time.Minute)
		a.set(&away, false)
		time.Sleep(time.Minute)
		a.set(&away, true)
		r.Update(func(s *State) { s.Ready = true })
		before := len(a.sent())
		time.Sleep(3 * time.Second)
		if tries := len(a.sent()) - before; tries < 2 {
			t.Errorf("%d more tries in three seconds", tries)
		}
	})
}

func TestRetryAfter(t *testing.T) {
	answer := func(n int) (appclient.Answer, error) {
		if n == 1 {
			return appclient.Answer{Status: 429, RetryAfter: time.Minute}, nil
		}
		return ok(n)
	}
	play(t, answer, func(t *testing.T, r *Reporter, a *app) {
		r.Update(func(s *State) { s.Ready = true })
		time.Sleep(59 * time.Second)
		if len(a.sent()) != 1 {
			t.Error("too early")
		}
		time.Sleep(2 * time.Second)
		if len(a.sent()) != 2 {
			t.Error("not at all")
		}
	})
}

func TestEvents(t *testing.T) {
	play(t, ok, func(t *testing.T, r *Reporter, a *app) {
		for range 3 {
			r.Event(Warning, "Unhealthy", "Liveness probe failed: x")
		}
		r.Event(Normal, "Killing", "y")
		synctest.Wait()
		if len(a.sent()) != 1 {
			t.Fatal("events wait a second for company")
		}
		time.Sleep(firstPatience)
		synctest.Wait()
		if last := a.last(); len(a.sent()) != 2 || len(last.Events) != 2 || last.Events[0].Count != 3 || last.Events[0].N != 1 {
			t.Fatalf("%+v", last)
		}
		// What only counts on goes once a minute, however often it comes.
		for range 100 {
			r.Event(Warning, "Unhealthy", "Liveness probe failed: x")
			time.Sleep(time.Second)
		}
		time.Sleep(time.Minute)
		if last := a.last(); len(a.sent()) != 4 || last.Events[0].Count != 103 || last.Events[0].N != 1 || len(last.Events) != 1 {
			t.Errorf("%d: %+v", len(a.sent()), last)
		}
	})
}

func TestEventsAreBounded(t *testing.T) {
	play(t, ok, func(t *testing.T, r *Reporter, a *app) {
		for index := range 1000 {
			r.Event(Warning, "R", fmt.Sprint(index))
		}
		r.Event(Warning, "R", strings.Repeat("ü", 3000)+"\xff")
		time.Sleep(time.Minute)
		last := a.last()
		if len(last.Events) != maxEvents || len(last.Events[maxEvents-1].Message) > maxMessage {
			t.Errorf("%d events", len(last.Events))
		}
	})
}

func TestFlush(t *testing.T) {
	slow := func(n int) (appclient.Answer, error) {
		if n < 4 {
			return appclient.Answer{Status: 503}, nil
		}
		return ok(n)
	}
	play(t, slow, func(t *testing.T, r *Reporter, a *app) {
		r.Event(Warning, "R", "last words")
		r.Update(func(s *State) { s.Phase = Ended })
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		begin := time.Now()
		if err := r.Flush(ctx); err != nil || len(a.last().Events) != 1 || time.Since(begin) > 5*time.Second {
			t.Errorf("%v after %v: %+v", err, time.Since(begin), a.last())
		}
	})
	never := func(int) (appclient.Answer, error) { return appclient.Answer{}, errors.New("no") }
	play(t, never, func(t *testing.T, r *Reporter, _ *app) {
		begin := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if err := r.Flush(ctx); err == nil || time.Since(begin) != 10*time.Second {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
	})
	if err := New(Identity{}, State{}, nil).Flush(t.Context()); err != nil {
		t.Error("who has nobody to report to has nothing to wait for:", err)
	}
}

func TestNumbersOnlyGrow(t *testing.T) {
	odd := func(n int) (appclient.Answer, error) { return appclient.Answer{Status: 200 + 300*(n%2)}, nil }
	play(t, odd, func(t *testing.T, r *Reporter, a *app) {
		for index := range 20 {
			r.Update(func(s *State) { s.Restarts = index })
			r.Event(Normal, "R", fmt.Sprint(index%3))
			time.Sleep(300 * time.Millisecond)
		}
		time.Sleep(5 * time.Minute)
		for index := 1; index < len(a.sent()); index++ {
			before, after := a.sent()[index-1], a.sent()[index]
			if after.Number < before.Number || after.Number == before.Number && after.State.Restarts != before.State.Restarts {
				t.Errorf("%+v after %+v", after, before)
			}
		}
		if a.last().State.Restarts != 19 {
			t.Errorf("%+v", a.last())
		}
	})
}

func TestWhoOnlyBeginsIsNotYetReported(t *testing.T) {
	for _, pause := range []time.Duration{waitingPatience / 2, 2 * waitingPatience} {
		synctest.Test(t, func(t *testing.T) {
			app := newApp(ok)
			reporter := New(Identity{}, State{Phase: Waiting}, app.post)
			ctx, cancel := context.WithCancel(t.Context())
			go reporter.Run(ctx)
			time.Sleep(pause)
			reporter.Update(func(s *State) { s.Phase = Running })
			want := 1
			if pause > waitingPatience {
				want = 2
			}
			if got := app.sent(); len(got) != want || app.last().State.Phase != Running {
				t.Errorf("%v: %+v", pause, got)
			}
			cancel()
			synctest.Wait()
		})
	}
}
