package component

import (
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/stream"
)

// receive gives a stanza from the server to the handler. One that is not for this domain or
// has a malformed address is dropped: the server is trusted with the sender's address,
// but it may make mistakes.
func (l *Link) receive(c *stream.Conn, it *stream.Item) {
	st, err := it.Stanza()
	var malformed *stanza.Error
	if errors.As(err, &malformed) || st.From.IsZero() || st.To.Domain() != l.opts.Domain.String() {
		l.log.Debug("stanza dropped", "kind", st.Kind, "from", st.From, "to", st.To, "err", err)
		return
	}
	if st.From == l.opts.Domain && st.To == l.opts.Domain && st.Kind == stanza.IQ && (!st.IsRequest() || st.Child(nsPing, "ping") != nil) {
		l.echoed(c, st.ID) // our own ping returned: the connection works
		return
	}
	l.call(st)
}

// call runs the handler and recovers from a panic, which loses only this stanza.
func (l *Link) call(st *stanza.Stanza) {
	defer func() {
		if v := recover(); v != nil {
			l.log.Error("panic in handler", "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
			if reply := st.ErrorReply(stanza.InternalServerError()); reply != nil {
				l.Send(reply)
			}
		}
	}()
	handle := l.handle.Load()
	if handle == nil {
		if reply := st.ErrorReply(stanza.ServiceUnavailable("")); reply != nil {
			l.Send(reply)
		}
		return
	}
	(*handle)(st)
}

// returnRefused passes the errors of refused stanzas to the handler.
func (l *Link) returnRefused() {
	l.mu.Lock()
	list := l.refused
	l.refused = nil
	l.mu.Unlock()
	for _, r := range list {
		if reply := r.st.ErrorReply(r.e); reply != nil {
			l.call(reply)
		}
	}
}
