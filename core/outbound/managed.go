package outbound

import (
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/unacked"
)

const request = "<r xmlns='" + unacked.NS + "'/>"

// A Queue counts stanzas, and keeps them in an unacked.List, from Manage or Resume on (XEP-0198).

func appendRequest(dst []byte) []byte { return append(dst, request...) }

// Manage appends what answer appends, and adds the stanzas that are appended after it to u (XEP-0198 §3).
func (q *Queue) Manage(u *unacked.List, answer func(dst []byte) []byte) bool {
	q.mu.Lock()
	if !q.append(answer) {
		q.failIfSlow()
		return false
	}
	q.retained.unacked = u
	q.mu.Unlock()
	return true
}

// Resume appends what answer appends and then, again, all stanzas of u (XEP-0198 §5), and continues with it as Manage does.
func (q *Queue) Resume(u *unacked.List, answer func(dst []byte) []byte) bool {
	content := q.content()
	q.mu.Lock()
	q.extra = 2*u.Bytes() + q.limits.Bytes // they were accepted before
	ok := q.append(answer)
	if ok && u.Resend(func(st *stanza.Stanza) bool {
		ok = q.append(func(dst []byte) []byte { return st.AppendXML(dst, content) })
		return ok
	}) {
		q.append(appendRequest)
	}
	if !ok {
		q.failIfSlow()
		return false
	}
	q.retained.unacked = u
	q.mu.Unlock()
	return true
}

// Release ends what Manage or Resume has begun: no stanza is appended any more, so that the list can continue on another queue.
func (q *Queue) Release() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.retained.unacked, q.retained.released = nil, true
}

// Request appends a request for an acknowledgement, if stanzas were sent since the last one.
func (q *Queue) Request() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if u := q.retained.unacked; u != nil && u.Request() {
		q.append(appendRequest)
	}
}
