package fake

import (
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// faultKind is a way to go wrong.
type faultKind int

const (
	noFault faultKind = iota
	rateLimited
	serverError
	hang
	refused
	lostReply
	failsAfter
	echoFirst
	lateReply
	garbage
)

// Fault is a fault of a call, made with the functions below.
type Fault struct {
	kind   faultKind
	wait   time.Duration
	status int
	code   string
}

// RateLimited answers 429 with Retry-After, rounded up to seconds.
func RateLimited(after time.Duration) Fault { return Fault{kind: rateLimited, wait: after} }

// ServerError answers with a status such as 500 or 503 and a page of HTML; nothing is done.
func ServerError(status int) Fault { return Fault{kind: serverError, status: status} }

// Hang never answers, and the call takes no effect. It ends when the client gives up.
func Hang() Fault { return Fault{kind: hang} }

// Refused answers ok:false with a code; nothing is done.
func Refused(code string) Fault { return Fault{kind: refused, code: code} }

// LostReply does what was asked and cuts the connection before the answer.
func LostReply() Fault { return Fault{kind: lostReply} }

// FailsAfter does what was asked and answers with an error status all the same.
func FailsAfter(status int) Fault { return Fault{kind: failsAfter, status: status} }

// EchoFirst sends the events of the call, and waits a little for their acknowledgement, before
// it answers.
func EchoFirst() Fault { return Fault{kind: echoFirst} }

// LateReply does what was asked and sends its events, and answers after a time.
func LateReply(after time.Duration) Fault { return Fault{kind: lateReply, wait: after} }

// Garbage does what was asked and answers with half of a JSON object.
func Garbage() Fault { return Fault{kind: garbage} }

// fault is a Fault in place.
type fault struct {
	Fault
	method string
	left   int // calls it still hits; negative: no end
}

// Break makes the next times calls of a method go wrong; with times 0 all, until mend is
// called. The method is one of the Web API, "*" for any of them, or "upload", "download",
// "socket" for what is no method. Earlier faults come first.
func (s *Server) Break(method string, times int, f Fault) (mend func()) {
	in := &fault{Fault: f, method: method, left: times}
	if times <= 0 {
		in.left = -1
	}
	s.mu.Lock()
	s.faults = append(s.faults, in)
	s.mu.Unlock()
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		in.left = 0
	}
}

// takeFault is the fault that hits a call now, or nil.
func (s *Server) takeFault(method string) *fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, isMethod := methods[method]
	live := s.faults[:0]
	var hit *fault
	for _, f := range s.faults {
		if hit == nil && f.left != 0 && (f.method == method || f.method == "*" && isMethod) {
			hit = f
			if f.left > 0 {
				f.left--
			}
		}
		if f.left != 0 {
			live = append(live, f)
		}
	}
	s.faults = live
	return hit
}

// Pending is the number of calls that Hang holds.
func (s *Server) Pending() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hanging
}

func (f *fault) is(k faultKind) bool { return f != nil && f.kind == k }

// before injects a fault before the call takes effect, and reports whether it did.
func (f *fault) before(s *Server, name string, w http.ResponseWriter, r *http.Request) bool {
	if f == nil {
		return false
	}
	switch f.kind {
	case rateLimited:
		tooMany(w, f.wait)
	case serverError:
		htmlError(w, f.status)
	case hang:
		s.mu.Lock()
		s.hanging++
		s.changed()
		s.mu.Unlock()
		select {
		case <-r.Context().Done():
		case <-s.closing:
		}
		s.mu.Lock()
		s.hanging--
		s.mu.Unlock()
		cut(w)
	case refused:
		s.answer(w, name, nil, refuse(f.code))
	default:
		return false
	}
	return true
}

// instead injects a fault in place of the answer, and reports whether it did.
func (f *fault) instead(w http.ResponseWriter) bool {
	if f == nil {
		return false
	}
	switch f.kind {
	case lostReply:
		cut(w)
	case failsAfter:
		htmlError(w, f.status)
	case garbage:
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		_, _ = w.Write([]byte(`{"ok":true,"ts":"15`))
	default:
		return false
	}
	return true
}

// tooMany is Slack's answer to too many calls.
func tooMany(w http.ResponseWriter, wait time.Duration) {
	after := max(1, int((wait+time.Second-1)/time.Second))
	w.Header().Set("Retry-After", strconv.Itoa(after))
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(http.StatusTooManyRequests)
	_, _ = w.Write([]byte(`{"ok":false,"error":"ratelimited"}`))
}

// htmlError is the error page of Slack's front end.
func htmlError(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Type", "text/html")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, "<html><body><h1>%d %s</h1></body></html>\n", status, http.StatusText(status))
}

// ShortPages makes pages of lists hold at most n things, whatever limit was asked for; 0 ends it.
func (s *Server) ShortPages(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shortPages = n
}

// StubFiles makes events show files as stubs without an address, as Slack does in shared
// channels: files.info has the rest.
func (s *Server) StubFiles(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stubFiles = on
}

// EmptyPrevious makes edits arrive with previous_message: [], as Slack sometimes sends them.
func (s *Server) EmptyPrevious(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.emptyPrevious = on
}

// Disconnect sends a disconnect frame to all sockets of the app: "warning", after which they
// stay, or "refresh_requested", "link_disabled", after which they are closed.
func (a *App) Disconnect(reason string) {
	a.server.mu.Lock()
	defer a.server.mu.Unlock()
	for _, k := range append([]*socket(nil), a.sockets...) {
		k.disconnect(reason)
	}
}

// Stall makes the app's open sockets stale: they stay open and say nothing any more, not even
// a ping. Sockets that are opened later are sound.
func (a *App) Stall() {
	a.server.mu.Lock()
	defer a.server.mu.Unlock()
	for _, k := range a.sockets {
		k.stale.Store(true)
	}
}

// HoldHello makes sockets that are opened from now on wait for their hello until release is
// called. No event goes to one before.
func (a *App) HoldHello() (release func()) {
	a.server.mu.Lock()
	defer a.server.mu.Unlock()
	a.silent = true
	return func() {
		a.server.do(func() {
			held := a.silentSockets
			a.silent, a.silentSockets = false, nil
			for _, k := range held {
				k.sendHello(a.server)
			}
		})
	}
}

// SocketsBeforeHello returns the number of open sockets that wait for their hello.
func (a *App) SocketsBeforeHello() int {
	a.server.mu.Lock()
	defer a.server.mu.Unlock()
	return len(a.silentSockets)
}

// SendRaw writes a frame as it is to one socket of the app, and reports whether there was one. It
// is not checked.
func (a *App) SendRaw(frame []byte) bool {
	a.server.mu.Lock()
	defer a.server.mu.Unlock()
	k := a.nextSocket()
	if k == nil {
		return false
	}
	k.push(outFrame{raw: append([]byte(nil), frame...)})
	return true
}

// SendEvent puts an event of any kind out to the app's installation in w, in a sound
// envelope: for events that nobody knows, and for oddly shaped ones. It is not checked.
func (a *App) SendEvent(w *Workspace, event map[string]any) {
	s := a.server
	s.mu.Lock()
	defer s.mu.Unlock()
	in := a.in(w)
	if in == nil {
		return
	}
	e := s.envelopeFor(in, emission{team: w, event: event}, []authorization{{in.Bot, true}})
	a.frames = append(a.frames, e)
	s.deliver(e)
}
