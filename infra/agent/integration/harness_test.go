// Package integration runs the built program as process 1 of a namespace of its own, in a root file system of its own
// with nothing but busybox: what a container is to it.
package integration

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

var program string

func TestMain(m *testing.M) {
	os.Exit(prepare(m))
}

func prepare(m *testing.M) int {
	if flag.Parse(); testing.Short() {
		fmt.Println("skipped: these tests take half a minute")
		return 0
	}
	if os.Geteuid() != 0 {
		fmt.Println("skipped: these tests need root")
		return 0
	}
	for _, name := range []string{"unshare", "busybox", "chroot"} {
		if _, err := exec.LookPath(name); err != nil {
			fmt.Println("skipped: there is no", name)
			return 0
		}
	}
	dir, err := os.MkdirTemp("", "agent-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	program = filepath.Join(dir, "sk")
	build := exec.Command("go", slices.Concat([]string{"build"}, buildFlags, []string{"-o", program, ".."})...)
	build.Env = os.Environ()
	if !isRaceBuilt {
		build.Env = append(build.Env, "CGO_ENABLED=0")
	}
	if output, err := build.CombinedOutput(); err != nil {
		fmt.Println(string(output))
		return 1
	}
	return m.Run()
}

// container is one that may be started several times, as ACI does.
type container struct {
	pod  *pod
	name string
	root string
	// readOnly is of the root file system.
	readOnly bool
	// terminal is what the container is started with instead of pipes.
	terminal *os.File
}

const applets = "sh cat echo sleep ls id env kill ps pwd test true false printf touch rm mkdir mv ln stat head tail grep nc httpd wc date trap sed hostname readlink stty tty dd sync usleep"

// container makes a root file system; orders are the members behind mode and program, with ROOT for its folder.
func (p *pod) container(name, orders string) *container {
	p.t.Helper()
	c := &container{pod: p, name: name, root: p.t.TempDir()}
	for _, dir := range []string{"bin", "dev", "etc", "proc", "tmp", ".sk", ".sk-run", ".sk-orders", "vol"} {
		c.must(os.Mkdir(c.at(dir), 0o755))
	}
	c.must(os.Chmod(c.at("tmp"), 0o777))
	c.write("bin/busybox", string(read(p.t, busybox(p.t))), 0o755)
	for _, applet := range strings.Fields(applets) {
		c.must(os.Symlink("busybox", c.at("bin/"+applet)))
	}
	c.write("etc/passwd", "root:x:0:0::/root:/bin/sh\nweb:x:1000:1001::/srv/web:/bin/sh\n", 0o644)
	c.write("etc/group", "root:x:0:\nadm:x:4:web\n", 0o644)
	c.write("etc/hosts", "127.0.0.1\tlocalhost\n", 0o644)
	c.write("etc/hostname", "SandboxHost-1\n", 0o644)
	c.write(".sk/sk", string(read(p.t, program)), 0o555)
	for _, link := range []string{"x", "f", "d", "r", "s"} {
		c.must(os.Symlink("sk", c.at(".sk/"+link)))
	}
	c.order(orders)
	return c
}

func busybox(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("busybox")
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func (c *container) at(name string) string { return filepath.Join(c.root, name) }

func (c *container) must(err error) {
	c.pod.t.Helper()
	if err != nil {
		c.pod.t.Fatal(err)
	}
}

func (c *container) write(name, text string, mode os.FileMode) {
	c.pod.t.Helper()
	c.must(os.WriteFile(c.at(name), []byte(text), mode))
}

func (c *container) read(name string) string { return string(read(c.pod.t, c.at(name))) }

func (c *container) order(orders string) {
	c.pod.t.Helper()
	c.write(".sk-orders/orders", fmt.Sprintf(
		`{"schemaVersion":1,"kind":"container","pod":{"namespace":"ns","name":"p","uid":%q},"nonce":%q,"container":%q,`+
			`"report":{"url":"%[4]s/api","filesUrl":"%[4]s/files","kid":"1","key":"MDEyMzQ1Njc4OWFiY2RlZg==","roots":%[5]q,"flushSeconds":%[7]d},%[6]s}`,
		c.pod.t.Name(), filepath.Base(c.root), c.name, c.pod.app.URL, c.pod.roots, orders, c.pod.flush), 0o400)
}

// running is one start of a container.
type running struct {
	*container
	command *exec.Cmd
	stdout  bytes.Buffer
	stderr  bytes.Buffer
	done    chan struct{}
	code    int
}

// readOnlyRoot leaves writable what is mounted in it afterwards; mounts are made in the namespace of the container alone.
const (
	arguments    = `root=$1; state=$2; shift 2; `
	readOnlyRoot = `mount --bind "$root" "$root" && mount -o remount,ro,bind "$root" && `
	mounts       = `mount -t proc proc "$root/proc" && mount -t tmpfs -o mode=755 tmpfs "$root/dev" && : >"$root/dev/null" &&
mount --bind /dev/null "$root/dev/null" && mkdir "$root/dev/pts" &&
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts" && ln -s pts/ptmx "$root/dev/ptmx" &&
mount --bind "$state" "$root/.sk-run" && cd / && exec chroot `
)

// environment is that of a container, and where races are to be written to.
func environment(list ...string) []string {
	if isRaceBuilt {
		return append(list, "GORACE=log_path=/.sk-run/race atexit_sleep_ms=0")
	}
	return list
}

// start runs the container; argv is of its process 1, as the group's command is.
func (c *container) start(argv ...string) *running {
	return c.startAs(nil, argv...)
}

func (c *container) startAs(user []string, argv ...string) *running {
	c.pod.t.Helper()
	if len(argv) == 0 {
		argv = []string{"/.sk/sk", "run"}
	}
	script := arguments
	if c.readOnly {
		script += readOnlyRoot
	}
	script += mounts + strings.Join(user, " ") + ` "$root" "$@"`
	args := append([]string{"-fpm", "--kill-child", "sh", "-c", script, "sh", c.root, c.pod.state}, argv...)
	r := &running{container: c, done: make(chan struct{})}
	r.command = exec.Command("unshare", args...)
	r.command.Env = environment("PATH=/usr/sbin:/usr/bin:/sbin:/bin", "OF_THE_IMAGE=1")
	r.command.Stdout, r.command.Stderr = &r.stdout, &r.stderr
	r.command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if c.terminal != nil {
		r.command.Stdin, r.command.Stdout, r.command.Stderr = c.terminal, c.terminal, c.terminal
		r.command.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Pdeathsig: syscall.SIGKILL}
	}
	c.must(r.command.Start())
	go func() {
		defer close(r.done)
		_ = r.command.Wait()
		r.code = r.command.ProcessState.ExitCode()
	}()
	c.pod.t.Cleanup(r.kill)
	return r
}

func (r *running) kill() {
	_ = r.command.Process.Kill()
	<-r.done
}

// wait is the exit code of the container.
func (r *running) wait() int {
	r.pod.t.Helper()
	select {
	case <-r.done:
		return r.code
	case <-time.After(90 * time.Second):
		r.pod.t.Fatalf("%s does not end: %q %q\n%s", r.name, &r.stdout, &r.stderr, r.pod.dump())
		return 0
	}
}

// first is process 1 of the container, as this namespace numbers it.
func (r *running) first() int {
	r.pod.t.Helper()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", r.command.Process.Pid, r.command.Process.Pid))
		var pid int
		if _, scan := fmt.Sscan(string(children), &pid); err == nil && scan == nil {
			return pid
		}
	}
	r.pod.t.Fatal("no process 1")
	return 0
}

// enter runs a command in the container, as ARM's exec does.
func (r *running) enter(stdin string, argv ...string) (string, error) {
	r.pod.t.Helper()
	args := append([]string{"-t", fmt.Sprint(r.first()), "-p", "-m", "-r", "-w"}, argv...)
	command := exec.Command("nsenter", args...)
	command.Env = environment("PATH=/bin")
	command.Stdin = strings.NewReader(stdin)
	output, err := command.CombinedOutput()
	return string(output), err
}

// signal is sent as a container runtime does, from outside.
func (r *running) signal(number syscall.Signal) {
	r.pod.t.Helper()
	r.must(syscall.Kill(r.first(), number))
}

// awaitOutput waits until the program has written something.
func (r *running) awaitFile(name string) {
	r.pod.t.Helper()
	for end := time.Now().Add(60 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if _, err := os.Stat(r.at(name)); err == nil {
			return
		}
	}
	r.pod.t.Fatalf("%s: no %s: %q %q\n%s", r.name, name, &r.stdout, &r.stderr, r.pod.dump())
}

func shell(script string) string {
	text, err := json.Marshal(script)
	if err != nil {
		panic(err)
	}
	return fmt.Sprintf(`"program":{"argv":["sh","-c",%s]}`, text)
}

func supervised(script, members string) string {
	return `"mode":"supervise",` + shell(script) + `,"supervise":{"restartPolicy":"Never","graceSeconds":10` + members + `}`
}
