package server

import (
	"time"

	"github.com/dragoman-im/dragoman/config"
)

// limitsOfComponents are the limits of what components do.
func limitsOfComponents(d config.Config) []reached {
	l := d.Limits
	return []reached{
		{"limits.component_rate", l.ComponentRate, extra{limits: "component_rate = \"50 KiB\""}, func(p *testServer) *peer {
			c := p.attached()
			c.Send(many(20, "<presence from='gate.home.test' to='nobody@home.test'><status>"+many(9000, "y")+"</status></presence>"))
			begun := time.Now()
			c.Send("<iq type='get' id='end' from='gate.home.test' to='home.test'><ping xmlns='urn:xmpp:ping'/></iq>")
			c.Until("id='end'")
			if took := time.Since(begun); took < 100*time.Millisecond {
				p.t.Errorf("180 kB at 50 KiB a second took %v", took)
			}
			return nil
		}, ""},
		{"limits.component_requests", l.ComponentRequests, extra{component: `requests = ["get urn:x"]`, limits: "component_requests = 1"}, func(p *testServer) *peer {
			p.online("juliet") // and answers nothing
			c := p.attached()
			c.Send("<presence type='subscribed' from='gate.home.test' to='juliet@home.test'/>")
			for range 2 {
				c.Send(privilegedIQ("get", "q", "<iq xmlns='jabber:client' type='get' id='i' to='juliet@home.test/x'><q xmlns='urn:x'/></iq>"))
			}
			c.Until("<resource-constraint ")
			return nil
		}, ""},
		{"limits.delegation_questions", l.DelegationAsked, extra{server: `delegable = ["urn:x"]`, limits: "delegation_questions = 1"}, func(p *testServer) *peer {
			p.online("romeo")
			c := p.attached()
			for _, from := range []string{"one@gate.home.test", "gate.home.test"} {
				c.Send(question(from, "romeo@home.test", "urn:x"))
			}
			c.gatePing()
			return nil
		}, ""},
		{"limits.component_presences", l.ComponentPresences, extra{component: `privileges = ["presence"]`, limits: "component_presences = 1"}, func(p *testServer) *peer {
			c := p.attached()
			p.online("romeo")
			p.online("juliet")
			c.Until("from='juliet@home.test/x'")
			return nil
		}, ""},
	}
}
