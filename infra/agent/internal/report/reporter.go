package report

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"

	"serverless-kubelet.local/agent/internal/appclient"
	"serverless-kubelet.local/agent/internal/orders"
)

const (
	attemptTimeout = 10 * time.Second
	firstRetry     = 500 * time.Millisecond
	longestRetry   = 30 * time.Second
	// maxAnswer is what is read of an answer: nothing in it counts.
	maxAnswer = 1 << 16
)

// Definite answers will not be others when they are asked for again. A 404 may be an app that is starting, a 401 or 403
// a key that is being rotated.
var Definite = []int{
	http.StatusBadRequest, http.StatusConflict, http.StatusGone, http.StatusRequestEntityTooLarge,
	http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity,
}

// Post sends one body to the app.
type Post func(ctx context.Context, body []byte) (appclient.Answer, error)

// To sends with a client to an address.
func To(client *appclient.Client, url string) Post {
	return func(ctx context.Context, body []byte) (appclient.Answer, error) {
		return client.Post(ctx, url, body, maxAnswer)
	}
}

// ToApp is To by what the orders say; nil where they name nobody, or nobody that could be reached.
func ToApp(to *orders.Report) Post {
	if to == nil {
		return nil
	}
	client, err := appclient.New(to)
	if err != nil {
		return nil
	}
	return To(client, to.URL)
}

// Reporter keeps the app informed of one container: it always sends the newest state, until that has been answered.
type Reporter struct {
	identity Identity
	post     Post
	wake     chan struct{}

	mu     sync.Mutex
	state  State
	events events
	// changes counts what happened; it is the number of a report.
	changes int
	// stateAt is when the state changed last, and the count of changes it had then; settled is up to where it is answered.
	stateAt      time.Time
	stateChanges int
	settled      int
	retries      int
	attemptAt    time.Time
	notBefore    time.Time
	lastFault    string
	settledEvent chan struct{}
}

// waitingPatience is for a container that only begins: most often the next state is a matter of milliseconds.
const waitingPatience = 500 * time.Millisecond

// New makes a reporter that begins with a state. Without a post it keeps all to itself.
func New(identity Identity, state State, post Post) *Reporter {
	at := time.Now()
	if state.Phase == Waiting {
		at = at.Add(waitingPatience)
	}
	return &Reporter{
		identity: identity, post: post, state: state, wake: make(chan struct{}, 1),
		changes: 1, stateChanges: 1, stateAt: at, settledEvent: make(chan struct{}),
	}
}

// Update changes the state; the app hears of it at once. A change to what it was is none.
func (r *Reporter) Update(change func(*State)) {
	r.mu.Lock()
	before, _ := json.Marshal(r.state)
	change(&r.state)
	after, _ := json.Marshal(r.state)
	if !slices.Equal(before, after) {
		r.changes++
		r.stateChanges = r.changes
		r.stateAt = time.Now()
	}
	r.mu.Unlock()
	r.nudge()
}

// Identity is whose reports these are.
func (r *Reporter) Identity() Identity { return r.identity }

// State is a copy of the present one.
func (r *Reporter) State() State {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.state
}

// Event adds one, or counts one that is known.
func (r *Reporter) Event(kind, reason, message string) {
	r.mu.Lock()
	r.changes++
	r.events.add(time.Now(), kind, reason, message)
	r.mu.Unlock()
	r.nudge()
}

func (r *Reporter) nudge() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// LastFault is why the last attempt was not answered; empty where it was.
func (r *Reporter) LastFault() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.lastFault
}

// Run sends until the context ends.
func (r *Reporter) Run(ctx context.Context) {
	if r.post == nil {
		return
	}
	for ctx.Err() == nil {
		var timer <-chan time.Time
		at, open := r.due()
		if open {
			wait := time.Until(at)
			if wait <= 0 {
				r.attempt(ctx)
				continue
			}
			timer = time.After(wait)
		}
		select {
		case <-ctx.Done():
		case <-r.wake:
		case <-timer:
		}
	}
}

// due is when the next attempt should be; false where everything is answered.
func (r *Reporter) due() (time.Time, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	at, open := r.events.due()
	if r.stateChanges > r.settled {
		at, open = r.stateAt, true
	}
	if !open {
		return at, false
	}
	if r.retries > 0 {
		at = later(at, r.retryAt())
	}
	return later(at, r.notBefore), true
}

// retryAt is when to try again after a failure: a state that has changed since then is worth one more try at once.
func (r *Reporter) retryAt() time.Time {
	pause := min(firstRetry<<min(r.retries-1, 10), longestRetry)
	if r.stateChanges > r.settled && r.stateAt.After(r.attemptAt) {
		pause = firstRetry
	}
	return r.attemptAt.Add(time.Duration(float64(pause) * jitter(r.retries)))
}

// jitter is ± 20 %, the same for one number of retries, so that asking twice does not move the time.
func jitter(retries int) float64 {
	return 0.8 + 0.4*rand.New(rand.NewPCG(seed, uint64(retries))).Float64()
}

var seed = rand.Uint64()

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

func (r *Reporter) attempt(ctx context.Context) {
	r.mu.Lock()
	message := Message{Identity: r.identity, Number: r.changes, SentAt: time.Now().UTC(), State: r.state, Events: r.events.open()}
	body, err := json.Marshal(message)
	r.mu.Unlock()
	var answer appclient.Answer
	if err == nil {
		ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
		defer cancel()
		answer, err = r.post(ctx, body)
	}
	r.conclude(message, answer, err)
}

func (r *Reporter) conclude(message Message, answer appclient.Answer, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	r.attemptAt = now
	isDone := err == nil && (answer.Status/100 == 2 || slices.Contains(Definite, answer.Status))
	switch {
	case err != nil:
		r.lastFault = err.Error()
	case answer.Status/100 != 2:
		r.lastFault = fmt.Sprintf("the app answered %d %s", answer.Status, http.StatusText(answer.Status))
	default:
		r.lastFault = ""
	}
	if !isDone {
		r.retries++
		r.notBefore = now.Add(answer.RetryAfter)
		return
	}
	r.retries = 0
	r.settled = max(r.settled, message.Number)
	r.events.confirm(message.Events, now)
	close(r.settledEvent)
	r.settledEvent = make(chan struct{})
}

// Last is of a process that ends now: it runs until all is answered, or for so long. Then the exit code has to do.
func (r *Reporter) Last(patience time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	go r.Run(ctx)
	_ = r.Flush(ctx)
}

// Flush returns when everything is answered, or when the context ends: then not all of it is, and the error says so.
func (r *Reporter) Flush(ctx context.Context) error {
	if r.post == nil {
		return nil
	}
	for {
		r.mu.Lock()
		isSettled := r.stateChanges <= r.settled && len(r.events.open()) == 0
		next := r.settledEvent
		if !isSettled {
			// Events don't wait for company any more.
			r.stateChanges, r.stateAt = r.changes, time.Now()
		}
		r.mu.Unlock()
		if isSettled {
			return nil
		}
		r.nudge()
		select {
		case <-next:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
