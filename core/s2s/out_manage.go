package s2s

import (
	"time"

	"github.com/dragoman-im/dragoman/core/outbound"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/stream"
)

// manage asks for stream management, or for the continuation of the link's last stream (XEP-0198 §3, §5), where the other server offers it
// and that was not done yet. It reports whether an answer is to come, after which the link is used.
func (o *outConn) manage(l *link) bool {
	if !o.stream.offersManagement || o.stream.managing != nil {
		return false
	}
	request := managed("enable")
	if o.server.limits().Resume > 0 && !o.stream.bidi { // a stream for both directions is not resumed
		request.With("resume", "true")
	}
	if m := l.takeManagement(); m != nil {
		o.stream.managing = m
		m.begun, _ = m.list.Acked()
		request = managed("resume").With("h", "0").With("previd", m.id)
	} else {
		o.stream.managing = o.server.newManagement()
	}
	o.Append(func(dst []byte) []byte { return request.Append(dst, "") })
	return true
}

// manageAnswered handles the answer to what manage has sent.
func (o *outConn) manageAnswered(it *stream.Item) error {
	e, err := it.Tree()
	m := o.stream.managing
	if err != nil {
		return err
	}
	if m == nil || o.stream.managed {
		return stream.NewError(stream.UnsupportedStanzaType, "")
	}
	none := func(dst []byte) []byte { return dst }
	switch e.Local {
	case "enabled":
		if parseBoolean(e.Attr("resume")) {
			m.id = e.Attr("id")
		}
		o.use(m)
		if o.stream.bidi {
			o.receiver.count(o.Conn, 0)
		}
		o.Queue().Manage(m.list, none)
	case "resumed":
		if e.Attr("previd") != m.id || m.id == "" {
			return stream.NewError(stream.BadFormat, "another stream was resumed")
		}
		if err := acknowledge(m, e.Attr("h")); err != nil {
			return err
		}
		o.use(m)
		if !o.Queue().Resume(m.list, none) {
			return outbound.ErrClosed
		}
	default:
		return o.manageRefused(e)
	}
	o.stream.managed = true
	o.establish(o.pair)
	return nil
}

// manageRefused goes on without stream management, or, if a stream cannot be resumed, with a new one: what was not acknowledged is sent again.
func (o *outConn) manageRefused(e *stanza.Element) error {
	m := o.stream.managing
	if m.id == "" {
		o.stream.managed = true
		o.establish(o.pair)
		return nil
	}
	if h, ok := stream.ParseCount(e.Attr("h")); ok {
		_, _ = m.list.Ack(h) // XEP-0198 §5: it may say how much it had handled
	}
	if l := o.primary(); l != nil {
		l.requeue(m.take())
		o.stream.managing = nil
		if o.manage(l) {
			return nil
		}
	}
	o.establish(o.pair)
	return nil
}

// returnManagement gives back to the link what a resumption that was not answered was for.
func (o *outConn) returnManagement() {
	if m := o.stream.managing; m != nil && o.management.Load() == nil {
		if l := o.primary(); l != nil {
			l.keepManagement(m)
		}
	}
}

// use makes the connection add what it sends to the list.
func (o *outConn) use(m *management) {
	m.conn.Store(o.carrier)
	m.cut.set(0)
	o.management.Store(m)
	o.shared.mu.Lock()
	o.shared.single = m.id != ""
	o.shared.mu.Unlock()
}

// primary returns the link for which the connection was opened, nil if it waits no longer.
func (o *outConn) primary() *link {
	o.shared.mu.Lock()
	defer o.shared.mu.Unlock()
	if r := o.shared.asked[o.pair]; r != nil {
		return r.link
	}
	return nil
}

// acknowledge takes an acknowledgement of the first h stanzas.
func acknowledge(m *management, h string) error {
	n, ok := stream.ParseCount(h)
	if !ok {
		return errCount
	}
	if sent, ok := m.list.Ack(n); !ok {
		return stream.HandledCountTooHigh(n, sent)
	}
	return nil
}

// acknowledged handles an acknowledgement (XEP-0198 §4).
func (o *outConn) acknowledged(it *stream.Item) error {
	m := o.management.Load()
	if m == nil {
		return stream.NewError(stream.UnsupportedStanzaType, "")
	}
	err := acknowledge(m, it.Attr("h"))
	o.count()
	return err
}

// requested handles a request for an acknowledgement. In a stream for one direction nothing is received.
func (o *outConn) requested(*stream.Item) error {
	if o.receiver.managed.handled != nil {
		o.receiver.managed.asked = true
		return nil
	}
	o.Queue().AppendBytes([]byte("<a xmlns='" + stream.NSManagement + "' h='0'/>"))
	return nil
}

// takeManagement returns what the link has of a stream that can be resumed, nil if there is none.
func (l *link) takeManagement() *management {
	l.mu.Lock()
	m := l.management
	l.management = nil
	l.mu.Unlock()
	if m != nil && (m.id == "" || time.Now().After(m.until)) {
		l.requeue(m.take())
		return nil
	}
	return m
}

// requeue puts stanzas before those that wait.
func (l *link) requeue(list []outbound.Retained) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.prepend(list)
}
