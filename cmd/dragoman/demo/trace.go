package demo

import (
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// Columns of a printed step. A narrow screen has no clock, and more lines.
const (
	clockFormat      = "15:04:05.000"
	clockColumns     = 14
	networkColumns   = 9
	directionColumns = 6
	stepColumns      = 15
	roomColumns      = 14
	narrowRoom       = 10
	mostContinued    = 3 // lines of one step
)

// The two directions of package transports.
const (
	directionIn  = "in"
	directionOut = "out"
)

// traceLine is one step of a message between XMPP and a network, numbered as in package transports.
type traceLine struct {
	network   string
	direction string
	step      string
	room      string
	text      string
}

// tracer prints each step of each message: those that the bridge reports, and those that the fake
// servers see.
type tracer struct {
	out      *screen
	networks []*network // set before anything runs

	printing sync.Mutex
	mu       sync.Mutex
	arrived  map[message]bool // events whose arrival was printed
	own      map[message]bool // messages that the gateway sent
}

// message is a message or an event within its room, by the bridge's names.
type message struct{ room, id string }

func newTracer(out *screen) *tracer {
	return &tracer{out: out, arrived: map[message]bool{}, own: map[message]bool{}}
}

// markOwn notes that the gateway sent a message: the event that the network sends for it is an echo.
func (t *tracer) markOwn(room, id string) { t.remember(t.own, message{room, id}) }

// show prints a step.
func (t *tracer) show(l traceLine) {
	arrow, kind := "←", cyan
	if l.direction == directionOut {
		arrow, kind = "→", yellow
	}
	t.printing.Lock() // so that the printed times rise
	defer t.printing.Unlock()
	head := []span{{l.network, kind, networkColumns}, {arrow + " " + l.direction, kind, directionColumns}, {l.step, plain, stepColumns}}
	if !t.out.narrow() {
		head = append([]span{{time.Now().Format(clockFormat), dim, clockColumns}}, head...)
		t.out.line(append(head, span{l.room, dim, roomColumns}, span{text: l.text})...)
		return
	}
	const before = networkColumns + directionColumns + stepColumns + narrowRoom
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

// bridgeSteps are the texts of the steps that the bridge reports; %s is the kind of event.
var bridgeSteps = map[string]struct{ direction, step, text string }{
	"deliver":     {directionIn, "2 inbox", "%s is stored in the inbox"},
	"handed over": {directionIn, "6 stanza", "%s is sent as a stanza"},
	"outbox":      {directionOut, "3 outbox", "%s is stored; the sender gets an acknowledgement"},
	"call":        {directionOut, "4 mailbox", "the conversation's mailbox sends %s"},
	"sent":        {directionOut, "6 id map", "the network's id of %s is stored"},
}

// printedKinds are the kinds of events that are worth a line; the others are too many.
var printedKinds = map[string]string{
	"message": "the message", "edit": "the edit", "delete": "the deletion", "reactions": "the reaction", "react": "the reaction",
}

// bridgeStep prints a step that the bridge reports.
func (t *tracer) bridgeStep(step string, attrs ...slog.Attr) {
	values := map[string]string{}
	for _, a := range attrs {
		values[a.Key] = a.Value.String()
	}
	what, printed := printedKinds[values["kind"]]
	if !printed {
		return
	}
	i, ok := bridgeSteps[step]
	if !ok {
		return
	}
	l := traceLine{direction: i.direction, step: i.step, text: fmt.Sprintf(i.text, what)}
	l.network, l.room = t.roomName(values["gateway"], values["room"])
	switch event := (message{values["room"], values["key"]}); {
	case step == "deliver":
		t.remember(t.arrived, event)
	case step == "handed over" && !t.hasArrived(event):
		return // history is not printed message by message
	case step == "handed over" && values["kind"] != "reactions" && t.isOwn(event):
		l.step, l.text = "5 echo", what+" is our own and is dropped"
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

// hasArrived tells, once, whether the arrival of an event was printed.
func (t *tracer) hasArrived(event message) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	arrived := t.arrived[event]
	delete(t.arrived, event)
	return arrived
}

// isOwn reports whether an event's key, which begins with the message's id, names one of ours.
func (t *tracer) isOwn(event message) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	id, _, _ := strings.Cut(event.id, "/")
	return t.own[message{event.room, id}]
}

// roomName is how a network calls a room of the bridge.
func (t *tracer) roomName(gateway, room string) (network, name string) {
	kind, _, _ := strings.Cut(gateway, ".")
	for _, n := range t.networks {
		for _, u := range n.users {
			if kind == n.kind && room == n.names.userAddress(u) {
				return n.name, u.name // a direct conversation that does not exist yet
			}
		}
		if name, ok := n.names.roomName(room); ok {
			return n.name, name
		}
		if kind == n.kind {
			return n.name, room
		}
	}
	return "", room
}

// quoted is a text in a printed step.
func quoted(text string) string { return "“" + text + "”" }

// describe is a text about what somebody did.
func describe(who, what, text string) string {
	if text == "" {
		return who + " " + what
	}
	return fmt.Sprintf("%s %s %s", who, what, quoted(text))
}
