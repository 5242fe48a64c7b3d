// Package run is the command of a container: it becomes the program, or stays beside it.
package run

import (
	"time"

	"serverless-kubelet.local/agent/internal/fault"
	"serverless-kubelet.local/agent/internal/launch"
	"serverless-kubelet.local/agent/internal/orders"
	"serverless-kubelet.local/agent/internal/prepare"
	"serverless-kubelet.local/agent/internal/report"
	"serverless-kubelet.local/agent/internal/statedir"
	"serverless-kubelet.local/agent/internal/supervise"
)

// Run returns the exit code of the container, where there is one left to return.
func Run(ordersFile string) int {
	container, err := orders.ReadContainer(ordersFile)
	if err != nil {
		// Whom to report it to is in the orders.
		return fault.Own
	}
	if container.Mode == orders.ModeSupervise {
		return supervise.Run(container)
	}
	prepared, _, start := prepare.Container(container)
	if start == nil {
		start = launch.Become(prepared.Spec)
	}
	reportFault(container, start)
	return start.Code
}

// reportFault is what is left to do for a program that could not be started: the exit code alone does not say why.
func reportFault(container *orders.Container, start *fault.Start) {
	post := report.ToApp(container.Report)
	if post == nil {
		return
	}
	own, before, err := statedir.Open(container.State(), container.Container)
	now := time.Now().UTC()
	record := statedir.Record{
		BootID: statedir.NewBootID(before.BootID, now),
		Ended:  &statedir.Ended{ExitCode: start.Code, Reason: start.Reason, Message: start.Message, FinishedAt: now},
	}
	if err == nil {
		err = own.Write(record)
	}
	state := report.State{Phase: report.Ended, Ended: record.Ended}
	reporter := report.New(report.IdentityOf(&container.Header, container.Container, record.BootID), state, post)
	if err != nil {
		reporter.Event(report.Warning, "AgentStateLost", err.Error())
	}
	reporter.Last(container.Report.Patience())
}
