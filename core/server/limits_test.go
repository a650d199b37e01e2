package server

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	nethttp "net/http"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/c2s"
	"github.com/dragoman-im/dragoman/core/internal/rawstream"
	"github.com/dragoman-im/dragoman/core/stream"
)

// reached is a limit: what it is where nothing is set, and how to run into a smaller one.
type reached struct {
	limit string // the setting
	value any    // its default
	set   extra
	do    func(p *testServer) *peer // whoever it ends, or nil
	see   string                    // what that one is told last
}

// many is the same text n times.
func many(n int, s string) string { return strings.Repeat(s, n) }

func attributes(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, " a%d=''", i)
	}
	return b.String()
}

// send makes a deed of something to say in a state of a stream.
func send(state func(*testServer) *peer, text string) func(*testServer) *peer {
	return func(p *testServer) *peer {
		c := state(p)
		c.Send(text)
		return c
	}
}

func askedPeer(p *testServer) *peer { c, _ := p.asked(); return c }

func asRomeo(p *testServer) *peer { return p.online("romeo") }

const policy = "<policy-violation "

// limits are all that are counted.
func limits() []reached {
	d := config.Default()
	l := d.Limits
	return append(slices.Concat(uploadLimits(), roomLimits(d), limitsOfComponents(d), limitsOfFederation(d)), []reached{
		{"login.tries", d.Login.Tries, extra{login: "tries = 2"}, func(p *testServer) *peer {
			c := p.encrypted()
			for range 2 {
				c.Send(plainAuth("romeo", "wrong"))
				c.Until("</failure>")
			}
			return c
		}, policy},
		{"login.failures", d.Login.Failures, extra{login: "failures = 4"}, func(p *testServer) *peer {
			c := p.encrypted()
			c.Send(plainAuth("romeo", "wrong")) // all that romeo has a minute
			c.Until("</failure>")
			p.encrypted().Send(plainAuth("romeo", "romeo"))
			return nil
		}, ""},
		{"login.tls_wait", d.Login.TLSWait, extra{login: "tls_wait = \"100ms\""}, (*testServer).unencrypted, "<connection-timeout "},
		{"login.wait", d.Login.Wait, extra{login: "wait = \"500ms\""}, (*testServer).encrypted, "<connection-timeout "},
		{"login.wait", d.Login.Wait, extra{login: "wait = \"500ms\""}, askedPeer, "<connection-timeout "},
		{"limits.login_bytes", l.LoginBytes, extra{}, send((*testServer).unencrypted, "<x>"+many(10_000, "y")), "<stanza-too-big "},
		{"limits.login_elements", l.LoginElements, extra{}, send((*testServer).unencrypted, "<x>"+many(32, "<y/>")), policy},
		{"limits.login_depth", l.LoginDepth, extra{}, send((*testServer).unencrypted, many(9, "<y>")), policy},
		{"limits.login_attributes", l.LoginAttributes, extra{}, send((*testServer).unencrypted, "<x"+attributes(33)+"/>"), policy},
		{"limits.login_bytes", l.LoginBytes, extra{}, send(askedPeer, "<handshake>"+many(10_000, "y")), "<stanza-too-big "},
		{"limits.login_elements", l.LoginElements, extra{}, send(askedPeer, "<handshake>"+many(32, "<y/>")), policy},
		{"limits.login_depth", l.LoginDepth, extra{}, send(askedPeer, many(9, "<y>")), policy},
		{"limits.login_attributes", l.LoginAttributes, extra{}, send(askedPeer, "<x"+attributes(33)+"/>"), policy},
		{"limits.login_bytes", l.LoginBytes, extra{}, send(askedPeer, many(40_000, " ")), policy},
		{"limits.stanza_bytes", l.StanzaBytes, extra{}, send(asRomeo, "<message><body>"+many(256<<10, "y")), "<stanza-too-big "},
		{"limits.stanza_elements", l.StanzaElements, extra{}, send(asRomeo, "<message>"+many(4000, "<y/>")), policy},
		{"limits.stanza_depth", l.StanzaDepth, extra{}, send(asRomeo, many(65, "<y>")), policy},
		{"limits.stanza_attributes", l.StanzaAttributes, extra{}, send(asRomeo, "<message"+attributes(129)+"/>"), policy},
		{"limits.component_bytes", l.ComponentBytes, extra{}, send((*testServer).attached, "<message><body>"+many(512<<10, "y")), "<stanza-too-big "},
		{"limits.component_elements", l.ComponentElements, extra{}, send((*testServer).attached, "<message>"+many(8000, "<y/>")), policy},
		{"limits.stanza_depth", l.StanzaDepth, extra{}, send((*testServer).attached, many(65, "<y>")), policy},
		{"limits.stanza_attributes", l.StanzaAttributes, extra{}, send((*testServer).attached, "<message"+attributes(129)+"/>"), policy},
		{"limits.component_queue", l.ComponentQueue, extra{limits: "stanza_bytes = \"10000 B\"\ncomponent_bytes = \"10000 B\"\ncomponent_queue = \"20000 B\"\nrate = \"0 B\""}, func(p *testServer) *peer {
			p.attached() // and reads no more
			c := p.online("romeo")
			rawstream.Eventually(p.t, "cut off", func() bool {
				c.Send("<message to='a@gate.home.test'><body>" + many(9000, "y") + "</body></message>")
				c.ping()
				return p.count("limits.component_queue") > 0
			})
			return nil
		}, ""},
		{"limits.queue", l.Queue, extra{limits: "stanza_bytes = \"10000 B\"\nqueue = \"20000 B\"\nrate = \"0 B\""}, func(p *testServer) *peer {
			p.online("juliet") // and reads no more
			c := p.online("romeo")
			rawstream.Eventually(p.t, "cut off", func() bool {
				c.Send("<message to='juliet@home.test/x'><body>" + many(9000, "y") + "</body></message>")
				c.ping()
				return p.count("limits.queue") > 0
			})
			return nil
		}, ""},
		{"limits.rate", l.Rate, extra{limits: "stanza_bytes = \"10000 B\"\nrate = \"100 KiB\"\nburst = \"10000 B\""}, func(p *testServer) *peer {
			c := p.online("romeo")
			c.Send(many(6, "<message to='home.test'><body>"+many(9000, "y")+"</body></message>"))
			begun := time.Now()
			c.ping()
			if took := time.Since(begun); took < 100*time.Millisecond {
				p.t.Errorf("54 kB at 100 KiB a second took %v", took)
			}
			return nil
		}, ""},
		{"limits.rate", l.Rate, extra{limits: "stanza_bytes = \"10000 B\"\nrate = \"100 KiB\"\nburst = \"10000 B\""}, func(p *testServer) *peer {
			c := p.encrypted()
			c.Send(many(30_000, " ") + "<x xmlns='urn:example:x'/>")
			return c
		}, "<not-authorized "},
		{"limits.connections", l.Connections, extra{limits: "connections = 2"}, func(p *testServer) *peer {
			p.online("romeo")
			p.online("juliet")
			return p.dial(p.server.ports.c2s[0])
		}, "<resource-constraint "},
		{"limits.connections", l.Connections, extra{limits: "connections = 2"}, func(p *testServer) *peer {
			idle := p.unencrypted()
			p.unencrypted()
			p.online("romeo")
			return idle
		}, "<resource-constraint "},
		{"limits.pending_connections", l.PendingConnections, extra{limits: "pending_connections = 2"}, func(p *testServer) *peer {
			idle := p.unencrypted()
			p.unencrypted()
			p.online("romeo")
			return idle
		}, "<resource-constraint "},
		{"limits.registrations", l.Registrations, extra{server: "register = true", limits: "registrations = 2"}, func(p *testServer) *peer {
			for _, name := range []string{"ann", "ben"} {
				if got := p.registers(name); !strings.Contains(got, "type='result'") {
					p.t.Errorf("%s: %s", name, got)
				}
			}
			if got := p.registers("cid"); !strings.Contains(got, "<resource-constraint ") {
				p.t.Errorf("cid: %s", got)
			}
			return nil
		}, ""},
		{"limits.registration_names", l.RegistrationNames, extra{server: "register = true", limits: "registration_names = 1"}, func(p *testServer) *peer {
			if got := p.registers("romeo"); !strings.Contains(got, "<conflict ") {
				p.t.Errorf("romeo: %s", got)
			}
			if got := p.registers("juliet"); !strings.Contains(got, "<resource-constraint ") {
				p.t.Errorf("juliet: %s", got)
			}
			return nil
		}, ""},
		{"limits.invitations", l.Invitations, extra{limits: "invitations = 1"}, func(p *testServer) *peer {
			c := p.online("romeo")
			for range 2 {
				c.Send("<iq type='set' id='i' to='home.test'><command xmlns='http://jabber.org/protocol/commands' node='urn:xmpp:invite#invite'/></iq>")
			}
			c.Until("<resource-constraint ")
			return nil
		}, ""},
		{"limits.invitation_pages", l.InvitationPages, extra{limits: "invitation_pages = 1", upload: "[web]\nurl = '" + site + "'"}, func(p *testServer) *peer {
			for _, want := range []int{nethttp.StatusNotFound, nethttp.StatusTooManyRequests} {
				if answer, _ := p.opens(site+"/invite/account/x", ""); answer.StatusCode != want {
					p.t.Error(answer.Status)
				}
			}
			return nil
		}, ""},
		{"limits.new_connections", l.NewConnections, extra{limits: "new_connections = 1"}, func(p *testServer) *peer {
			var c *peer
			for p.count("limits.new_connections") == 0 {
				c = p.dial(p.server.ports.c2s[0])
				c.Send(head("jabber:client", "home.test"))
				c.Until("</stream:")
			}
			return c
		}, ""},
		{"limits.clients", l.Clients, extra{limits: "clients = 1"}, func(p *testServer) *peer {
			p.issued(device(1), "HT-SHA-256-NONE")
			p.issued(device(2), "HT-SHA-256-NONE")
			return nil
		}, ""},
		{"limits.sessions", l.Sessions, extra{limits: "sessions = 1"}, func(p *testServer) *peer {
			p.online("romeo")
			c := p.loggedIn("romeo")
			c.Send(strings.ReplaceAll(bindX, ">x<", ">y<"))
			c.Until("<resource-constraint ")
			return nil
		}, ""},
		{"limits.recipients", l.Recipients, extra{limits: "recipients = 2"}, func(p *testServer) *peer {
			c := p.online("romeo")
			for _, to := range []string{"juliet@home.test", "juliet@home.test/x", "a@gate.home.test", "b@gate.home.test"} {
				c.Send("<message to='" + to + "' id='" + to + "'/>")
			}
			c.Until("<policy-violation ")
			return nil
		}, ""},
		{"limits.fragments", l.Fragments, extra{limits: "fragments = 2"}, func(p *testServer) *peer {
			nc, r, _ := p.rawWeb(p.t, goodHandshake)
			_, _ = io.WriteString(nc, frame(0x01, framingOpen)+frame(0x00, "")+frame(0x80, ""))
			if b, err := io.ReadAll(r); !strings.Contains(string(b), "<policy-violation ") {
				p.t.Errorf("%q, %v", b, err)
			}
			return nil
		}, ""},
		{"limits.idle", l.Idle, extra{limits: "idle = \"200ms\""}, asRomeo, "<connection-timeout "},
		{"limits.idle", l.Idle, extra{limits: "idle = \"200ms\""}, (*testServer).attached, "<connection-timeout "},
		{"limits.unacknowledged", l.Unacknowledged, extra{limits: "unacknowledged = 5"}, func(p *testServer) *peer {
			c := p.online("romeo")
			c.Send("<enable xmlns='urn:xmpp:sm:3'/>")
			c.Until("<enabled ")
			c.Send(many(30, "<message to='romeo@home.test'><body>y</body></message>"))
			return c
		}, policy},
		{"limits.detached_sessions", l.DetachedSessions, extra{limits: "detached_sessions = 1"}, func(p *testServer) *peer {
			for _, name := range []string{"x", "y"} {
				c := p.loggedIn("romeo")
				c.Send(strings.Replace(bindX, ">x<", ">"+name+"<", 1))
				c.Until("</iq>")
				c.Send("<enable xmlns='urn:xmpp:sm:3' resume='true'/>")
				c.Until("<enabled ")
				_ = c.Close()
			}
			return nil
		}, ""},
		{"limits.inactive_queue", l.InactiveQueue, extra{limits: "inactive_queue = 2"}, func(p *testServer) *peer {
			juliet, c := p.online("juliet"), p.online("romeo")
			juliet.Send("<inactive xmlns='urn:xmpp:csi:0'/>")
			juliet.ping()
			for i := range 3 {
				c.Send(fmt.Sprintf("<message to='juliet@home.test/x'><received xmlns='urn:xmpp:receipts' id='%d'/></message>", i))
			}
			juliet.Until("id='2'/>")
			return nil
		}, ""},
		{"limits.roster_items", l.RosterItems, extra{limits: "roster_items = 1"}, func(p *testServer) *peer {
			c := p.online("romeo")
			for i := range 2 {
				c.Send(fmt.Sprintf("<iq type='set' id='r%d'><query xmlns='jabber:iq:roster'><item jid='a%d@away.test'/></query></iq>", i, i))
			}
			c.Until("<resource-constraint ")
			return nil
		}, ""},
		{"limits.roster_bytes", l.RosterBytes, extra{limits: "roster_bytes = \"10000 B\""}, func(p *testServer) *peer {
			c := p.online("romeo")
			for i := range 10 {
				c.Send(fmt.Sprintf("<iq type='set' id='r%d'><query xmlns='jabber:iq:roster'><item jid='a%d@away.test'><group>%s</group></item></query></iq>", i, i, many(1000, "g")))
			}
			c.Until("<resource-constraint ")
			return nil
		}, ""},
		{"limits.roster_requests", l.RosterRequests, extra{limits: "roster_requests = 1"}, func(p *testServer) *peer {
			for _, who := range []string{"romeo", "nurse"} {
				c := p.online(who)
				c.Send("<presence type='subscribe' to='juliet@home.test'/>")
				c.ping()
			}
			rawstream.Eventually(p.t, "one too many", func() bool { return p.count("limits.roster_requests") > 0 })
			return nil
		}, ""},
		{"limits.blocked", l.Blocked, extra{limits: "blocked = 1"}, func(p *testServer) *peer {
			c := p.online("romeo")
			c.Send("<iq type='set' id='b'><block xmlns='urn:xmpp:blocking'><item jid='a@away.test'/><item jid='b@away.test'/></block></iq>")
			c.Until("<resource-constraint ")
			return nil
		}, ""},
		{"limits.archive_messages", l.ArchiveMessages, extra{limits: "archive_messages = 1"}, func(p *testServer) *peer {
			c := p.online("romeo")
			c.Send(many(3, "<message type='chat' to='juliet@home.test'><body>y</body></message>"))
			c.Send("<iq type='get' id='archived'><metadata xmlns='urn:xmpp:mam:2'/></iq>") // it waits for the archive
			c.Until("archived")
			if err := p.server.enforceQuotas(p.t.Context()); err != nil {
				p.t.Error(err)
			}
			return nil
		}, ""},
		{"limits.offline_messages", l.OfflineMessages, extra{limits: "offline_messages = 1"}, func(p *testServer) *peer {
			c := p.online("romeo")
			c.Send(many(2, "<message to='juliet@home.test'><body>y</body></message>"))
			c.Until("<service-unavailable ")
			return nil
		}, ""},
		{"limits.offline_bytes", l.OfflineBytes, extra{limits: "offline_bytes = \"10000 B\""}, func(p *testServer) *peer {
			c := p.online("romeo")
			c.Send("<message to='juliet@home.test'><body>" + many(10_000, "y") + "</body></message>")
			c.Until("<service-unavailable ")
			return nil
		}, ""},
		{"limits.vcard_bytes", l.VCardBytes, extra{limits: "vcard_bytes = \"10000 B\""}, func(p *testServer) *peer {
			c := p.online("romeo")
			c.Send("<iq type='set' id='v'><vCard xmlns='vcard-temp'><NOTE>" + many(10_000, "y") + "</NOTE></vCard></iq>")
			c.Until("<not-acceptable ")
			return nil
		}, ""},
		{"limits.searches", l.Searches, extra{limits: "searches = 1"}, func(p *testServer) *peer {
			c := p.online("romeo")
			for range 2 {
				c.Send("<iq type='set' id='s' to='search.home.test'><query xmlns='jabber:iq:search'><nick>x</nick></query></iq>")
			}
			c.Until("<resource-constraint ")
			return nil
		}, ""},
		{"limits.archive_searches", l.ArchiveSearches, extra{limits: "archive_searches = 1"}, func(p *testServer) *peer {
			c := p.online("romeo")
			const command = "<command xmlns='http://jabber.org/protocol/commands' node='search-messages'"
			var answer string
			for range 2 {
				_, rest, _ := strings.Cut(c.ask("set", "home.test", command+"/>"), "sessionid='")
				session, _, _ := strings.Cut(rest, "'")
				answer = c.ask("set", "home.test", command+" sessionid='"+session+"'><x xmlns='jabber:x:data' type='submit'><field var='words'><value>x</value></field></x></command>")
			}
			if !strings.Contains(answer, "<resource-constraint ") {
				c.T.Error(answer)
			}
			return nil
		}, ""},
		{"limits.reports", l.Reports, extra{limits: "reports = 1"}, func(p *testServer) *peer {
			c := p.online("romeo")
			for range 2 {
				c.Send("<iq type='set' id='b'><block xmlns='urn:xmpp:blocking'><item jid='a@away.test'><report xmlns='urn:xmpp:reporting:1' reason='urn:xmpp:reporting:spam'/></item></block></iq>")
			}
			c.ping()
			return nil
		}, ""},
		{"limits.stranger_messages", l.StrangerMessages, local("stranger_messages = 1"), func(p *testServer) *peer {
			c := p.online("romeo")
			c.Send(many(2, "<message to='juliet@home.test'><body>y</body></message>"))
			c.Until("<policy-violation ")
			return nil
		}, ""},
		{"limits.stranger_senders", l.StrangerSenders, local("stranger_senders = 1"), func(p *testServer) *peer {
			for _, who := range []string{"romeo", "nurse"} {
				c := p.online(who)
				c.Send("<message to='juliet@home.test'><body>y</body></message>")
				c.ping()
			}
			return nil
		}, ""},
		{"limits.stranger_receivers", l.StrangerReceivers, local("stranger_receivers = 1"), func(p *testServer) *peer {
			c := p.online("romeo")
			for _, to := range []string{"juliet", "nurse"} {
				c.Send("<message to='" + to + "@home.test'><body>y</body></message>")
			}
			c.Until("<policy-violation ")
			return nil
		}, ""},
		{"limits.proxy_connections", l.ProxyConnections, extra{limits: "proxy_connections = 1"}, func(p *testServer) *peer {
			p.join("s")
			if p.join("s") != nil {
				p.t.Error("a second connection")
			}
			return nil
		}, ""},
		{"limits.proxy_streams", l.ProxyStreams, extra{limits: "proxy_streams = 1"}, func(p *testServer) *peer {
			c := p.online("romeo")
			for _, sid := range []string{"s", "t"} {
				p.join(sid)
				p.join(sid)
				c.Send(activation(sid))
			}
			c.Until("<resource-constraint ")
			return nil
		}, ""},
		{"limits.proxy_rate", l.ProxyRate, extra{limits: "proxy_rate = \"16 KiB\""}, func(p *testServer) *peer {
			c := p.online("romeo")
			a, b := p.join("s"), p.join("s")
			c.Send(activation("s"))
			c.Until("type='result'")
			go func() { _, _ = a.Write(make([]byte, 20<<10)) }()
			if _, err := io.ReadFull(b, make([]byte, 20<<10)); err != nil {
				p.t.Error(err)
			}
			return nil
		}, ""},
		{"limits.group_members", l.GroupMembers, extra{limits: "group_members = 1\n[[shared_group]]\nname = \"All\"\nmembers = [\"everyone\"]"}, func(p *testServer) *peer {
			p.online("romeo")
			p.online("juliet")
			return nil
		}, ""},
		{"limits.search_results", l.SearchResults, extra{limits: "search_results = 1"}, func(p *testServer) *peer {
			for _, who := range []string{"romeo", "juliet"} {
				c := p.online(who)
				c.Send("<iq type='set' id='r' to='search.home.test'><query xmlns='jabber:iq:register'><nick>x</nick></query></iq>")
				c.ping()
			}
			c := p.online("romeo")
			c.Send("<iq type='set' id='s' to='search.home.test'><query xmlns='jabber:iq:search'><nick>x</nick></query></iq>")
			c.Until("<count>2</count>")
			return nil
		}, ""},
		{"pubsub.nodes", d.Pubsub.Nodes, extra{limits: "[pubsub]\nnodes = 1"}, publishes("", "ab", "<x xmlns='y'/>", "<resource-constraint "), ""},
		{"pubsub.bytes", d.Pubsub.Bytes, extra{limits: "[pubsub]\nbytes = \"1000 B\""}, publishes("", "abc", "<x xmlns='y'>"+many(400, "z")+"</x>", "<resource-constraint "), ""},
		{"pubsub.payload", d.Pubsub.Payload, extra{limits: "[pubsub]\npayload = \"1000 B\""}, publishes("", "a", "<x xmlns='y'>"+many(1000, "z")+"</x>", "<payload-too-big "), ""},
		{"pubsub.service_nodes", d.Pubsub.ServiceNodes, extra{limits: "[pubsub]\nservice_nodes = 1"}, publishes("pubsub.home.test", "ab", "<x xmlns='y'/>", "<resource-constraint "), ""},
		{"pubsub.service_bytes", d.Pubsub.ServiceBytes, extra{limits: "[pubsub]\nservice_bytes = \"1000 B\""}, publishes("pubsub.home.test", "aab", "<x xmlns='y'>"+many(400, "z")+"</x>", "<resource-constraint "), ""},
		{"limits.block_list_entries", l.BlockListEntries, extra{limits: "block_list_entries = 1\n[strangers]\nsubscribe = [\"pubsub.home.test\"]"}, func(p *testServer) *peer {
			c := p.online("romeo")
			for _, item := range []string{"a", "b"} {
				c.Send("<iq type='set' id='e' to='pubsub.home.test'><pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='muc_bans_sha256'><item id='" +
					many(64, item) + "'><x xmlns='y'/></item></publish></pubsub></iq>")
				c.Until("</pubsub></iq>")
			}
			return nil
		}, ""},
		{"pubsub.items", d.Pubsub.Items, extra{limits: "[pubsub]\nitems = 1"}, func(p *testServer) *peer {
			c := p.online("romeo")
			c.Send("<iq type='set' id='c'><pubsub xmlns='http://jabber.org/protocol/pubsub'><create node='a'/><configure><x xmlns='jabber:x:data' type='submit'>" +
				"<field var='pubsub#publish_node_full'><value>reject</value></field><field var='pubsub#max_items'><value>max</value></field></x></configure></pubsub></iq>")
			return publish(c, "", "aa", "<x xmlns='y'/>", "<node-full ")
		}, ""},
		{"pubsub.subscriptions", d.Pubsub.Subscriptions, extra{limits: "[pubsub]\nsubscriptions = 1"}, func(p *testServer) *peer {
			c := p.online("romeo")
			publish(c, "pubsub.home.test", "a", "<x xmlns='y'/>", "type='result'")
			for _, resource := range []string{"", "/x"} {
				c.Send("<iq type='set' id='s' to='pubsub.home.test'><pubsub xmlns='http://jabber.org/protocol/pubsub'><subscribe node='a' jid='romeo@home.test" + resource + "'/></pubsub></iq>")
			}
			c.Until("<too-many-subscriptions ")
			return nil
		}, ""},
	}...)
}

// publishes makes a deed of publishing one item to each node of a service; each node has a name of one letter.
func publishes(service, nodes, payload, see string) func(*testServer) *peer {
	return func(p *testServer) *peer { return publish(p.online("romeo"), service, nodes, payload, see) }
}

func publish(c *peer, service, nodes, payload, see string) *peer {
	to := ""
	if service != "" {
		to = " to='" + service + "'"
	}
	for i, node := range nodes {
		c.Send(fmt.Sprintf("<iq type='set' id='p%d'%s><pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='%c'><item id='%d'>%s</item></publish></pubsub></iq>", i, to, node, i, payload))
	}
	c.Until(see)
	return nil
}

// local makes accounts of the server strangers to each other, with a line of [limits].
func local(limits string) extra {
	return extra{limits: limits + "\n[strangers]\nlocal = true"}
}

// Every limit is in force, can be set, and is counted under the name of its setting.
func TestLimits(t *testing.T) {
	t.Parallel()
	for i, l := range limits() {
		t.Run(fmt.Sprintf("%d %s", i, l.limit), func(t *testing.T) {
			t.Parallel()
			p := newTestServer(t, l.set)
			before := p.count(l.limit)
			if c := l.do(p); c != nil {
				if got := c.rest(); !strings.Contains(got, l.see) || !strings.HasSuffix(got, "</stream:stream>") {
					t.Errorf("told %q, not %s", got, l.see)
				}
			}
			rawstream.Eventually(t, "counted", func() bool { return p.count(l.limit) > before })
		})
	}
}

// The defaults are those that the documentation gives, and every count has its test.
func TestDefaults(t *testing.T) {
	t.Parallel()
	want := map[string]string{
		"login.tries": "3", "login.failures": "20", "login.tls_wait": "30s", "login.wait": "1m",
		"limits.login_bytes": "10000 B", "limits.login_elements": "32", "limits.login_depth": "8", "limits.login_attributes": "32",
		"limits.stanza_bytes": "256 KiB", "limits.stanza_elements": "4000", "limits.stanza_depth": "64", "limits.stanza_attributes": "128",
		"limits.component_bytes": "512 KiB", "limits.component_elements": "8000", "limits.component_queue": "16 MiB",
		"limits.component_rate": "32 MiB", "limits.component_requests": "1000", "limits.delegation_questions": "5", "limits.component_presences": "100000",
		"limits.rate": "16 KiB", "limits.queue": "1 MiB", "limits.connections": "100", "limits.pending_connections": "2000", "limits.new_connections": "20",
		"limits.registrations": "20", "limits.registration_names": "100", "limits.invitations": "20", "limits.invitation_pages": "30",
		"limits.clients": "50", "limits.sessions": "10", "limits.recipients": "1000", "limits.fragments": "8", "limits.idle": "6m", "limits.roster_items": "2000", "limits.roster_bytes": "1 MiB", "limits.roster_requests": "500",
		"limits.blocked": "1000", "limits.offline_messages": "200", "limits.offline_bytes": "2 MiB", "limits.vcard_bytes": "64 KiB", "limits.archive_messages": "0", "limits.archive_searches": "30", "limits.searches": "30", "limits.search_results": "100", "limits.group_members": "2000",
		"limits.reports": "20", "limits.block_list_entries": "500000", "limits.stranger_messages": "20", "limits.stranger_senders": "100", "limits.stranger_receivers": "50",
		"limits.proxy_connections": "1000", "limits.proxy_streams": "10", "limits.proxy_rate": "1 MiB",
		"pubsub.nodes": "1000", "pubsub.bytes": "32 MiB", "pubsub.payload": "250000 B", "pubsub.items": "1000", "pubsub.subscriptions": "1000",
		"pubsub.service_nodes": "10000", "pubsub.service_bytes": "1 GiB",
		"limits.unacknowledged": "500", "limits.detached_sessions": "10", "limits.inactive_queue": "500",
		"upload.size": "100 MiB", "upload.daily": "1 GiB", "upload.daily_files": "1000", "upload.total": "5 GiB", "upload.profile_size": "2 MiB", "upload.profile_files": "50",
		"upload.reserve": "256 MiB", "push.devices": "5", "push.errors": "16",
		"federation.wait": "1m", "federation.waiting_stanzas": "1000", "federation.attempts": "4000", "federation.stanza_bytes": "512 KiB",
		"federation.outbox_stanzas": "20000", "federation.outbox_bytes": "16 MiB", "federation.outbox_total": "256 MiB",
		"federation.stanza_elements": "8000", "federation.stanza_time": "1m", "federation.rate": "100 KiB", "federation.queue": "16 MiB", "federation.queues": "256 MiB",
		"rooms.per_account": "100", "rooms.message_bytes": "256 KiB", "rooms.messages": "180", "rooms.searches": "30", "rooms.archive_queries": "600",
	}
	tested := map[string]bool{}
	for _, l := range limits() {
		tested[l.limit] = true
		if got := fmt.Sprint(l.value); got != want[l.limit] {
			t.Errorf("%s is %s, not %s", l.limit, got, want[l.limit])
		}
	}
	p := newTestServer(t, extra{})
	for _, c := range p.server.Counts() {
		if !tested[c.Limit] && c.Limit != "strangers.lists" && c.Limit != "push.accounts" { // featuretest has their tests
			t.Errorf("%s has no test", c.Limit)
		}
	}
	if got := clientLimits(config.Default()); got != c2s.DefaultLimits() {
		t.Errorf("clients without settings: %+v, with the defaults: %+v", c2s.DefaultLimits(), got)
	}
	if got := componentLimits(config.Default()).Stanza; got != stream.ForServers() {
		t.Errorf("components without settings: %+v, with the defaults: %+v", stream.ForServers(), got)
	}
}

// Every setting of [limits] is counted, or it is said here why there is nothing to count.
func TestLimitsAreCounted(t *testing.T) {
	t.Parallel()
	nothing := map[string]string{
		"limits.unacknowledged_bytes": "limits.unacknowledged counts it",
		"limits.archive_bytes":        "limits.archive_messages counts what is deleted for either",
		"limits.registration_time":    "limits.registrations and limits.registration_names count it",
		"limits.burst":                "who has sent as much at once is read at the rate from then on, which limits.rate counts",
	}
	p := newTestServer(t, withGuests)
	counted := map[string]bool{}
	for _, c := range p.server.Counts() {
		if counted[c.Limit] {
			t.Errorf("%s is counted twice", c.Limit)
		}
		counted[c.Limit] = true
	}
	if got := slices.Sorted(maps.Keys(counted)); !slices.Equal(got, CountedLimits()) {
		t.Errorf("counted %v, documented %v", got, CountedLimits())
	}
	settings := map[string]bool{}
	for field := range reflect.TypeFor[config.Limits]().Fields() {
		name := "limits." + field.Tag.Get("toml")
		settings[name] = true
		if reason := nothing[name]; counted[name] == (reason != "") {
			t.Errorf("%s: counted: %v, reason not to: %q", name, counted[name], reason)
		}
	}
	for name := range counted {
		if strings.HasPrefix(name, "limits.") && !settings[name] {
			t.Errorf("%s is no setting", name)
		}
	}
	for name := range nothing {
		if !settings[name] {
			t.Errorf("%s is no setting", name)
		}
	}
}

// What is new is logged every minute and at the end.
func TestLogCounts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		var n atomic.Uint64
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() {
			done <- LogCounts(ctx, slog.New(slog.NewTextHandler(&out, nil)), func() []Count { return []Count{{"limits.rate", n.Load()}, {"limits.idle", 0}} })
		}()
		n.Store(3)
		time.Sleep(2*logEvery + time.Second) // of the bubble's time
		synctest.Wait()
		n.Store(7)
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if got := out.String(); strings.Count(got, "limits reached") != 2 || !strings.Contains(got, "limits.rate=3\n") || !strings.HasSuffix(got, "limits.rate=4\n") || strings.Contains(got, "idle") {
			t.Errorf("logged %q", got)
		}
	})
}

func TestGrown(t *testing.T) {
	t.Parallel()
	logged := map[string]uint64{}
	if got := increases(logged, []Count{{"a", 2}, {"b", 0}}); len(got) != 1 || got[0].String() != "a=2" {
		t.Error(got)
	}
	if got := increases(logged, []Count{{"a", 5}, {"b", 1}}); len(got) != 2 || got[0].String() != "a=3" || got[1].String() != "b=1" {
		t.Error(got)
	}
	if got := increases(logged, []Count{{"a", 5}, {"b", 1}}); len(got) != 0 {
		t.Error(got)
	}
}
