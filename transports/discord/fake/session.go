package fake

import (
	"encoding/json"
	"time"
)

// maxLog bounds what a session can have replayed; older events make it unresumable.
const maxLog = 20_000

// session is what a bot identified for. It outlives its connection for a while.
type session struct {
	id        string
	app       *app
	intents   Intents
	threshold int // large_threshold
	compress  bool
	seq       int
	log       []sent
	pushed    int // the sequence that the connection has been given
	conn      *conn
	left      time.Time // when the connection went
}

// sent is one event of a session, ready for the wire.
type sent struct {
	seq     int
	data    []byte
	partial bool
}

// view is how the session's bot looks at messages.
func (v *session) view() view {
	return view{user: v.app.user, app: v.app, content: v.intents&IntentContent != 0}
}

// append writes an event to the session's log and gives it to its connection.
func (s *Server) append(v *session, kind string, data obj) {
	v.seq++
	payload, err := json.Marshal(obj{"op": opDispatch, "t": kind, "s": v.seq, "d": data})
	if err != nil {
		panic(err) // only maps of strings and numbers are marshalled
	}
	if len(v.log) >= maxLog {
		v.log = append(v.log[:0:0], v.log[maxLog/2:]...)
	}
	v.log = append(v.log, sent{v.seq, payload, kind == "MESSAGE_UPDATE" && data["author"] == nil})
	s.push(v)
}

// push gives the connection what it has not had yet, unless events are held.
func (s *Server) push(v *session) {
	if v.conn == nil || v.conn.quiet || s.held {
		return
	}
	for _, e := range v.log[max(0, len(v.log)-(v.seq-v.pushed)):] { // the log has no gaps
		v.pushed = e.seq
		v.conn.queue(outgoing{data: e.data, partial: e.partial})
	}
}

// attach gives a session to a connection.
func (s *Server) attach(v *session, c *conn) {
	if v.conn != nil && v.conn != c {
		v.conn.sess = nil
		v.conn.close(4000, "another connection took the session")
	}
	v.conn, c.sess = c, v
	s.touch()
}

// detach leaves a session without a connection, to be resumed.
func (s *Server) detach(c *conn) {
	if v := c.sess; v != nil {
		c.sess = nil
		if v.conn == c {
			v.conn, v.left = nil, s.now()
		}
	}
	s.touch()
}

// end makes a session impossible to resume.
func (s *Server) end(v *session) {
	if v.conn != nil {
		v.conn.sess = nil
		v.conn = nil
	}
	for i, other := range s.sessions {
		if other == v {
			s.sessions = append(s.sessions[:i:i], s.sessions[i+1:]...)
			break
		}
	}
	s.touch()
}

// forget ends the sessions whose time to be resumed is over.
func (s *Server) forget() {
	for _, v := range append([]*session(nil), s.sessions...) {
		if v.conn == nil && s.now().Sub(v.left) > s.opts.ResumeWindow {
			s.end(v)
		}
	}
}

// beginSession makes a session for a bot and sends it the state: READY with guilds that are not
// there yet, then each as a GUILD_CREATE. (events/gateway.mdx, Ready Event)
func (s *Server) beginSession(c *conn, v *session) {
	s.forget()
	v.id = secret(32)
	s.sessions = append(s.sessions, v)
	s.attach(v, c)
	v.app.started++
	v.app.counts.Identified++
	guilds := []obj{}
	mine := s.guildsOf(v.app)
	for _, g := range mine {
		guilds = append(guilds, obj{"id": g.id, "unavailable": true})
	}
	flags := v.app.allowed.flags()
	s.append(v, "READY", obj{
		"v": c.version, "user": v.app.user.own(), "guilds": guilds, "session_id": v.id, "shard": []int{0, 1},
		"resume_gateway_url": s.gatewayURL() + "/resume/" + v.id[:8],
		"application":        obj{"id": v.app.id, "flags": flags, "flags_new": itoa(flags)},
	})
	for _, g := range mine {
		if !g.down && v.intents&IntentGuilds != 0 {
			s.append(v, "GUILD_CREATE", s.full(g, v))
		}
	}
}

// replay gives a resumed session what it missed, then RESUMED.
func (s *Server) replay(c *conn, v *session, seq int) {
	s.attach(v, c)
	v.pushed = seq
	v.app.counts.Resumed++
	if !c.resumed {
		v.app.counts.ResumedElsewhere++
	}
	s.push(v)
	s.append(v, "RESUMED", obj{})
}

// has reports whether all after a sequence can still be replayed.
func (v *session) has(seq int) bool {
	return seq >= 0 && (len(v.log) == 0 || seq >= v.log[0].seq-1)
}
