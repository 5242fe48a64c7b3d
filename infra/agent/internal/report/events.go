package report

import (
	"strings"
	"time"
)

const (
	// maxEvents is how many different events are kept; the oldest goes.
	maxEvents = 50
	// maxMessage is the API server's limit of an event.
	maxMessage = 1024
	// firstPatience joins events that come together; countPatience is for those that only come again.
	firstPatience = time.Second
	countPatience = time.Minute
)

type event struct {
	Event
	// confirmed is the count that the app has.
	confirmed int
	// confirmedAt is when it got it.
	confirmedAt time.Time
}

// due is when the event should be on its way; false where the app knows it.
func (e *event) due() (time.Time, bool) {
	switch {
	case e.confirmed >= e.Count:
		return time.Time{}, false
	case e.confirmed == 0:
		return e.FirstAt.Add(firstPatience), true
	default:
		return e.confirmedAt.Add(countPatience), true
	}
}

type events struct {
	list []*event
	last int
}

// add counts an event that is known, and keeps one that is not.
func (l *events) add(now time.Time, kind, reason, message string) {
	message = cut(message)
	for _, known := range l.list {
		if known.Type == kind && known.Reason == reason && known.Message == message {
			known.Count++
			known.LastAt = now
			return
		}
	}
	if len(l.list) == maxEvents {
		l.list = append(l.list[:0], l.list[1:]...)
	}
	l.last++
	l.list = append(l.list, &event{Event: Event{
		N: l.last, Type: kind, Reason: reason, Message: message, Count: 1, FirstAt: now, LastAt: now,
	}})
}

func cut(message string) string {
	message = strings.ToValidUTF8(message, "\uFFFD")
	if len(message) <= maxMessage {
		return message
	}
	return strings.ToValidUTF8(message[:maxMessage], "")
}

// open is what the app does not know.
func (l *events) open() []Event {
	var list []Event
	for _, one := range l.list {
		if one.confirmed < one.Count {
			list = append(list, one.Event)
		}
	}
	return list
}

func (l *events) confirm(sent []Event, now time.Time) {
	for _, done := range sent {
		for _, known := range l.list {
			if known.N == done.N && known.confirmed < done.Count {
				known.confirmed, known.confirmedAt = done.Count, now
			}
		}
	}
}

func (l *events) due() (time.Time, bool) {
	var first time.Time
	found := false
	for _, one := range l.list {
		if at, open := one.due(); open && (!found || at.Before(first)) {
			first, found = at, true
		}
	}
	return first, found
}
