package main

import (
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// Columns of a line of traffic. A narrow screen has no clock, and more lines.
const (
	clockFormat   = "15:04:05.000"
	clockColumns  = 14
	townColumns   = 9
	wayColumns    = 6
	stepColumns   = 15
	roomColumns   = 14
	narrowRoom    = 10
	mostContinued = 3 // lines of one step
)

// The two ways, as package transports tells them.
const (
	wayIn  = "in"
	wayOut = "out"
)

// trafficLine is one step of a message on its way. The numbers are those of package transports.
type trafficLine struct {
	town string
	way  string
	step string
	room string
	text string
}

// tracer prints each step of each message's way: what the server's parts say of themselves, and
// what the stand-ins see of them from outside.
type tracer struct {
	out   *screen
	towns []town // set before anything runs

	printing sync.Mutex
	mu       sync.Mutex
	known    map[message]bool // events that were shown as they came
	own      map[message]bool // messages that the gateway made
}

// message is a message or an event within its room, by the bridge's names.
type message struct{ room, id string }

func newTracer(out *screen) *tracer {
	return &tracer{out: out, known: map[message]bool{}, own: map[message]bool{}}
}

// mine notes that the gateway made a message: what the network then tells of it is an echo.
func (t *tracer) mine(room, id string) { t.remember(t.own, message{room, id}) }

// show prints a line of traffic.
func (t *tracer) show(l trafficLine) {
	arrow, kind := "←", cyan
	if l.way == wayOut {
		arrow, kind = "→", yellow
	}
	t.printing.Lock() // so that the clock never runs backwards on the screen
	defer t.printing.Unlock()
	head := []span{{l.town, kind, townColumns}, {arrow + " " + l.way, kind, wayColumns}, {l.step, plain, stepColumns}}
	if !t.out.narrow() {
		head = append([]span{{time.Now().Format(clockFormat), dim, clockColumns}}, head...)
		t.out.line(append(head, span{l.room, dim, roomColumns}, span{text: l.text})...)
		return
	}
	const before = townColumns + wayColumns + stepColumns + narrowRoom
	room, _ := fit(l.room, narrowRoom-1)
	head = append(head, span{room, dim, narrowRoom})
	lines := wrap(l.text, t.out.columns-before)
	for i, text := range lines[:min(len(lines), mostContinued)] {
		if i > 0 {
			head = []span{{"", plain, before}}
		}
		t.out.line(append(head, span{text: text})...)
	}
}

// inner is how the bridge's steps are shown; %s is what it is about.
var inner = map[string]struct{ way, step, text string }{
	"deliver":     {wayIn, "2 inbox", "%s goes into the durable inbox"},
	"handed over": {wayIn, "6 stanza", "%s goes to the server"},
	"outbox":      {wayOut, "3 outbox", "%s is on disk; the sender knows"},
	"call":        {wayOut, "4 worker", "the room's worker sends %s"},
	"sent":        {wayOut, "6 id map", "the network's id of %s is kept"},
}

// shownKinds are the kinds of events that are worth a line; the others are too many.
var shownKinds = map[string]string{
	"message": "the message", "edit": "the edit", "delete": "the deletion", "reactions": "the reaction", "react": "the reaction",
}

// step is told by the server: server.Options.Trace.
func (t *tracer) step(step string, attrs ...slog.Attr) {
	values := map[string]string{}
	for _, a := range attrs {
		values[a.Key] = a.Value.String()
	}
	what, shown := shownKinds[values["kind"]]
	if !shown {
		return
	}
	i, ok := inner[step]
	if !ok {
		return
	}
	l := trafficLine{way: i.way, step: i.step, text: fmt.Sprintf(i.text, what)}
	l.town, l.room = t.place(values["gateway"], values["room"])
	switch event := (message{values["room"], values["key"]}); {
	case step == "deliver":
		t.remember(t.known, event)
	case step == "handed over" && !t.expected(event):
		return // history that is read is not shown line by line
	case step == "handed over" && values["kind"] != "reactions" && t.isOwn(event):
		l.step, l.text = "5 echo", what+" is our own, and ends here"
	case step == "call" && values["attempt"] != "1":
		l.text += ", attempt " + values["attempt"]
	}
	t.show(l)
}

// maxRemembered bounds what a run that lasts for days remembers.
const maxRemembered = 10_000

func (t *tracer) remember(set map[message]bool, key message) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(set) >= maxRemembered {
		clear(set)
	}
	set[key] = true
}

// expected tells whether an event was seen coming.
func (t *tracer) expected(event message) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	known := t.known[event]
	delete(t.known, event)
	return known
}

// isOwn tells whether an event's key, which begins with the message's id, names one of ours.
func (t *tracer) isOwn(event message) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	id, _, _ := strings.Cut(event.id, "/")
	return t.own[message{event.room, id}]
}

// place names a room of the bridge for people.
func (t *tracer) place(gateway, room string) (town, name string) {
	kind, _, _ := strings.Cut(gateway, ".")
	for _, candidate := range t.towns {
		for _, p := range candidate.people() {
			if kind == candidate.kind() && room == candidate.address(p) {
				return candidate.name(), p.name // a conversation that is about to begin
			}
		}
		if name, ok := candidate.roomName(room); ok {
			return candidate.name(), name
		}
		if kind == candidate.kind() {
			return candidate.name(), room
		}
	}
	return "", room
}

// quoted is a text in a line of traffic.
func quoted(text string) string { return "“" + text + "”" }

// told is a line about what somebody did.
func told(who, what, text string) string {
	if text == "" {
		return who + " " + what
	}
	return fmt.Sprintf("%s %s %s", who, what, quoted(text))
}
