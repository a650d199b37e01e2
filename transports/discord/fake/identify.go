package fake

import (
	"encoding/json"
	"strings"
)

// identify begins a session. (events/gateway-events.mdx, Identify)
func (c *conn) identify(d []byte) {
	if c.sess != nil {
		c.close(4005, "Already authenticated")
		return
	}
	var p struct {
		Token     string `json:"token"`
		Intents   *int   `json:"intents"`
		Compress  bool   `json:"compress"`
		Threshold int    `json:"large_threshold"`
		Shard     []int  `json:"shard"`
		Presence  obj    `json:"presence"`
	}
	if json.Unmarshal(d, &p) != nil {
		c.close(4002, "Decode error")
		return
	}
	a := c.s.appOf(p.Token)
	if a == nil {
		c.close(4004, "Authentication failed.")
		return
	}
	if p.Intents == nil || *p.Intents < 0 || Intents(*p.Intents)&^allIntents != 0 {
		c.close(4013, "Invalid intent(s).")
		return
	}
	intents := Intents(*p.Intents)
	if intents&PrivilegedIntents&^a.allowed != 0 {
		c.close(4014, "Disallowed intent(s).")
		return
	}
	if p.Shard != nil && (len(p.Shard) != 2 || p.Shard[0] != 0 || p.Shard[1] != 1) {
		c.close(4010, "Invalid shard")
		return
	}
	if a.started >= c.s.opts.IdentifyLimit {
		c.s.resetToken(a) // events/gateway.mdx, Session Start Limit: and an e-mail to its owner
		c.close(4004, "Authentication failed.")
		return
	}
	if now := c.s.now(); now.Sub(a.last) < c.s.opts.IdentifySpacing {
		c.invalid(false)
		return
	} else {
		a.last = now
	}
	if p.Threshold < 50 || p.Threshold > 250 {
		p.Threshold = 50
	}
	c.s.beginSession(c, &session{app: a, intents: intents, threshold: p.Threshold, compress: p.Compress})
	status, _ := p.Presence["status"].(string)
	if status == "" {
		status = "online"
	}
	c.s.setPresence(a.user, status, customStatus(p.Presence))
}

// resume goes on with a session. (events/gateway-events.mdx, Resume)
func (c *conn) resume(d []byte) {
	if c.sess != nil {
		c.close(4005, "Already authenticated")
		return
	}
	var p struct {
		Token   string `json:"token"`
		Session string `json:"session_id"`
		Seq     int    `json:"seq"`
	}
	if json.Unmarshal(d, &p) != nil {
		c.close(4002, "Decode error")
		return
	}
	a := c.s.appOf(p.Token)
	if a == nil {
		c.close(4004, "Authentication failed.")
		return
	}
	if a.refuse != nil {
		again := *a.refuse
		a.refuse = nil
		c.invalid(again)
		return
	}
	c.s.forget()
	for _, v := range c.s.sessions {
		if v.id != p.Session || v.app != a {
			continue
		}
		switch {
		case p.Seq > v.seq:
			c.close(4007, "Invalid seq")
			c.s.end(v)
		case !v.has(p.Seq):
			c.s.end(v)
			c.invalid(false)
		default:
			c.s.replay(c, v, p.Seq)
		}
		return
	}
	c.invalid(false)
}

// invalid reports that there is no session, or that it may be resumed.
func (c *conn) invalid(resumable bool) { c.control(obj{"op": opInvalidSession, "d": resumable}) }

// appOf finds whose token it is. The prefix of the REST API is passed over.
func (s *Server) appOf(token string) *app { return s.tokens[strings.TrimPrefix(token, "Bot ")] }

// presence sets the bot's own status. (events/gateway-events.mdx, Update Presence)
func (c *conn) presence(d []byte) {
	var p obj
	if json.Unmarshal(d, &p) != nil {
		c.close(4002, "Decode error")
		return
	}
	status, _ := p["status"].(string)
	c.s.setPresence(c.sess.app.user, status, customStatus(p))
}

// customStatus is the text of the first activity of type 4, or the name of the first.
func customStatus(p obj) string {
	list, _ := p["activities"].([]any)
	for _, e := range list {
		b, _ := e.(obj)
		if state, ok := b["state"].(string); ok && state != "" {
			return state
		}
		if name, ok := b["name"].(string); ok {
			return name
		}
	}
	return ""
}
