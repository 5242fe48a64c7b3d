package orders

import (
	"net/netip"
	"strings"
)

func isAddress(text string) bool {
	_, err := netip.ParseAddr(text)
	return err == nil
}

func isNoHostname(name string) bool { return !isHostname(name) }

// isHostname lets through what a resolver would take and what ends no line of a file.
func isHostname(name string) bool {
	if name == "" || len(name) > 253 {
		return false
	}
	for _, r := range name {
		if !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._", r) {
			return false
		}
	}
	return true
}

func (c *checks) supervise(s *Supervise) {
	c.oneOf("supervise.restartPolicy", s.RestartPolicy, Always, OnFailure, Never)
	c.seconds("supervise.graceSeconds", s.GraceSeconds)
	c.noNUL("supervise.stopSignal", s.StopSignal)
	for _, condition := range s.After {
		c.name("supervise.after.container", condition.Container)
		c.oneOf("supervise.after.until", condition.Until, "started", "succeeded")
	}
	for _, name := range s.EndAfter {
		c.name("supervise.endAfter", name)
	}
	if s.Restart != nil {
		c.restart(s.Restart)
	}
	if t := s.Termination; t != nil {
		c.absolute("supervise.termination.path", t.Path)
		c.oneOf("supervise.termination.policy", t.Policy, MessageFromFile, MessageFromLogs)
	}
	for what, probe := range map[string]*Probe{
		"startupProbe": s.StartupProbe, "livenessProbe": s.LivenessProbe, "readinessProbe": s.ReadinessProbe,
	} {
		if probe != nil {
			c.probe(what, probe)
		}
	}
	for what, hook := range map[string]*Handler{"postStart": s.PostStart, "preStop": s.PreStop} {
		if hook != nil {
			c.handler(what, hook)
			c.must(hook.GRPC == nil, "%s: grpc is of probes", what)
		}
	}
}

func (c *checks) restart(r *Restart) {
	c.oneOf("supervise.restart.policy", r.Policy, Always, OnFailure, Never)
	c.seconds("supervise.restart.initialSeconds", r.InitialSeconds)
	c.seconds("supervise.restart.maxSeconds", r.MaxSeconds)
	c.seconds("supervise.restart.resetSeconds", r.ResetSeconds)
	for _, rule := range r.Rules {
		c.oneOf("supervise.restart.rules.action", rule.Action, "Restart")
		c.oneOf("supervise.restart.rules.exitCodes.operator", rule.ExitCodes.Operator, "In", "NotIn")
	}
}

func (c *checks) probe(what string, p *Probe) {
	c.handler(what, &p.Handler)
	c.must(p.Sleep == nil, "%s: sleep is of hooks", what)
	c.seconds(what+".initialDelaySeconds", p.InitialDelaySeconds)
	c.seconds(what+".periodSeconds", p.PeriodSeconds)
	c.seconds(what+".timeoutSeconds", p.TimeoutSeconds)
	c.seconds(what+".successThreshold", p.SuccessThreshold)
	c.seconds(what+".failureThreshold", p.FailureThreshold)
	if p.TerminationGracePeriodSeconds != nil {
		c.seconds(what+".terminationGracePeriodSeconds", *p.TerminationGracePeriodSeconds)
	}
}

func (c *checks) handler(what string, h *Handler) {
	count := 0
	if h.Exec != nil {
		count++
		c.must(len(h.Exec.Command) > 0, "%s.exec.command is empty", what)
		for _, word := range h.Exec.Command {
			c.noNUL(what+".exec.command", word)
		}
	}
	if h.HTTPGet != nil {
		count++
		c.port(what+".httpGet.port", h.HTTPGet.Port)
		c.oneOf(what+".httpGet.scheme", h.HTTPGet.Scheme, "", "HTTP", "HTTPS")
	}
	if h.TCPSocket != nil {
		count++
		c.port(what+".tcpSocket.port", h.TCPSocket.Port)
	}
	if h.GRPC != nil {
		count++
		c.port(what+".grpc.port", h.GRPC.Port)
	}
	if h.Sleep != nil {
		count++
		c.seconds(what+".sleep.seconds", h.Sleep.Seconds)
	}
	c.must(count == 1, "%s: has %d handlers instead of one", what, count)
}
