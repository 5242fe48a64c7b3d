// Package supervise is the agent as process 1: it runs the program, and does beside it what a kubelet does.
package supervise

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"serverless-kubelet.local/agent/internal/appclient"
	"serverless-kubelet.local/agent/internal/control"
	"serverless-kubelet.local/agent/internal/fault"
	"serverless-kubelet.local/agent/internal/orders"
	"serverless-kubelet.local/agent/internal/reap"
	"serverless-kubelet.local/agent/internal/report"
	"serverless-kubelet.local/agent/internal/statedir"
)

// memoryLimit makes Go collect rather than grow.
const memoryLimit = 8 << 20

// Agent is the one of a container.
type Agent struct {
	orders   *orders.Container
	plan     *orders.Supervise
	root     string
	streams  streams
	reaper   *reap.Reaper
	reporter *report.Reporter
	own      *statedir.Own
	// client is nil where nobody is to be reported to.
	client *appclient.Client
	// refresh has one to do, at most.
	refresh chan struct{}
	drain   drainOrder
	// mainsEnded is closed when the containers have ended after which this one is to end.
	mainsEnded chan struct{}
	// stopped is closed by a signal that would end a program, where there is none.
	stopped chan struct{}
	current atomic.Pointer[run]
	flush   time.Duration

	mu     sync.Mutex
	record statedir.Record
	// callers are processes that have handed something over since the last end.
	callers []int
}

// Run supervises the container until its end and returns its exit code.
func Run(container *orders.Container) int {
	runtime.GOMAXPROCS(2)
	debug.SetGCPercent(50)
	debug.SetMemoryLimit(memoryLimit)
	streams, err := takeStreams()
	if err != nil {
		return fault.Own
	}
	if os.Getpid() != 1 {
		// What the program leaves behind is ours to wait for, as it is process 1's.
		_ = unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	a := &Agent{
		orders: container, plan: container.Supervise, root: container.State(), streams: streams, reaper: reap.New(ctx),
		mainsEnded: make(chan struct{}), stopped: make(chan struct{}), refresh: make(chan struct{}, 1),
	}
	a.drain.requested = make(chan struct{})
	a.begin(ctx)
	if listener, err := control.Listen(control.Address(&container.Header, container.Container)); err == nil {
		defer listener.Close()
		a.serve(listener)
	} else {
		a.reporter.Event(report.Warning, "AgentDeaf", fmt.Sprintf("exec, drain and refresh don't reach this container: %v", err))
	}
	go a.forwardSignals(ctx)
	go a.awaitMains(ctx)
	go a.refreshLoop(ctx)
	return a.live(ctx)
}

// begin makes the first report: of a container that starts again it has the end before.
func (a *Agent) begin(ctx context.Context) {
	own, before, err := statedir.Open(a.root, a.orders.Container)
	a.own = own
	a.record = statedir.Record{BootID: statedir.NewBootID(before.BootID, time.Now()), Restarts: before.Restarts}
	a.flush = a.orders.Report.Patience()
	var post report.Post
	if r := a.orders.Report; r != nil {
		// Roots that are none leave the app without reports, as a wrong address does.
		if client, err := appclient.New(r); err == nil {
			a.client = client
			post = report.To(client, r.URL)
		}
	}
	state := report.State{
		Phase: report.Waiting, Waiting: &report.Reason{Reason: "PodInitializing"},
		Restarts: before.Restarts, LastEnded: before.Ended,
	}
	a.reporter = report.New(report.IdentityOf(&a.orders.Header, a.orders.Container, a.record.BootID), state, post)
	if err != nil {
		a.reporter.Event(report.Warning, "AgentStateLost", fmt.Sprintf("other containers of the pod can't see this one: %v", err))
	}
	a.write(func(*statedir.Record) {})
	a.watchCrash()
	go a.reporter.Run(ctx)
}

// watchCrash has a crash of Go's runtime written where the next run finds it, and reports that of the run before.
func (a *Agent) watchCrash() {
	file, before := a.own.Crash()
	if why, _, _ := strings.Cut(before, "\n"); why != "" {
		a.reporter.Event(report.Warning, "AgentCrashed", why)
	}
	if file == nil {
		return
	}
	defer file.Close()
	// Where it can't be had a crash is silent.
	_ = debug.SetCrashOutput(file, debug.CrashOptions{})
}

// write changes the record that other containers see.
func (a *Agent) write(change func(*statedir.Record)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	change(&a.record)
	// Where it can't be written the report at the start has said so.
	_ = a.own.Write(a.record)
}

// Status is what /.sk/s shows.
type Status struct {
	BootID    string       `json:"bootId"`
	State     report.State `json:"state"`
	LastFault string       `json:"lastFault,omitempty"`
}

func (a *Agent) serve(listener *net.UnixListener) {
	go control.Serve(listener, func(request control.Request, conn control.Conn, reply func(control.Reply) error) {
		if request.Op == control.Attach {
			a.attach(conn, reply)
			return
		}
		a.noteCaller(conn.PID)
		// A caller that has gone misses nothing.
		_ = reply(a.answer(request))
	})
}

// maxCallers of the last time are enough.
const maxCallers = 8

func (a *Agent) noteCaller(pid int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.callers = append(a.callers[max(0, len(a.callers)-maxCallers+1):], pid)
}

func (a *Agent) takeCallers() []int {
	a.mu.Lock()
	defer a.mu.Unlock()
	list := a.callers
	a.callers = nil
	return list
}

// attach leads a caller to the program that runs now.
func (a *Agent) attach(conn control.Conn, reply func(control.Reply) error) {
	r := a.current.Load()
	switch {
	case r == nil:
		_ = reply(control.Refuse("the program does not run"))
	case r.broker == nil:
		_ = reply(control.Refuse("the program has neither stdin nor a terminal that anybody could attach to"))
	case reply(control.Reply{OK: true}) == nil:
		r.broker.Serve(conn, conn.PID)
	}
}

func (a *Agent) answer(request control.Request) control.Reply {
	switch request.Op {
	case control.Drain:
		grace := a.plan.GraceSeconds
		if request.GraceSeconds != nil {
			grace = max(0, *request.GraceSeconds)
		}
		by := a.drain.request(time.Duration(grace) * time.Second)
		a.reporter.Update(func(s *report.State) { s.DrainBy = by.UTC() })
		return control.Reply{OK: true}
	case control.Refresh:
		if len(a.orders.Live) == 0 || a.client == nil {
			return control.Refuse("this container has no live volumes")
		}
		a.askRefresh()
		return control.Reply{OK: true}
	case control.Status:
		return a.status()
	default:
		return control.Refuse("%s is not of this container", request.Op)
	}
}

func (a *Agent) status() control.Reply {
	data, err := json.Marshal(Status{BootID: a.record.BootID, State: a.reporter.State(), LastFault: a.reporter.LastFault()})
	if err != nil {
		return control.Refuse("%v", err)
	}
	return control.Reply{OK: true, Status: data}
}

// awaitMains is of sidecars.
func (a *Agent) awaitMains(ctx context.Context) {
	if len(a.plan.EndAfter) == 0 {
		return
	}
	if err := statedir.Await(ctx, a.root, a.plan.EndAfter, a.areOver); err == nil {
		close(a.mainsEnded)
	}
}

// areOver is whether all have ended for good. One whose agent was killed wrote no last record; where nothing starts it
// again its lock says enough.
func (a *Agent) areOver(peers map[string]statedir.Peer) bool {
	for _, peer := range peers {
		isGone := peer.Known && !peer.Lives && a.plan.RestartPolicy == orders.Never
		if !peer.Final && !isGone {
			return false
		}
	}
	return true
}
