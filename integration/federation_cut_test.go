package integration_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/dragoman-im/dragoman/integration/peers"
	"github.com/dragoman-im/dragoman/integration/xmltree"
)

// TestFederationCut cuts the connections between two servers again and again while users of both write to each other: each message
// arrives once, in order.
func TestFederationCut(t *testing.T) {
	t.Parallel()
	const messages, cuts = 200, 5
	padding := strings.Repeat("x", 4000) // what is on its way when a connection is cut
	f := peers.NewFederation(t)
	alice := peers.Account{User: "alice", Password: "secret of alice"}
	var servers []*federated
	var relays []*peers.Relay
	for _, host := range []string{"one.example", "two.example"} {
		d := peers.StartDragoman(t, peers.Options{Setup: peers.Setup{Host: host, Accounts: []peers.Account{alice}, Federation: f}, Relayed: true, Limits: "stranger_messages = 10000"})
		s := &federated{Server: &d.Server, name: "dragoman"}
		s.user = s.login(t.Context(), t, alice)
		s.user.send("<presence/>")
		s.user.stanza("presence", "", s.user.full()) // from now on messages are for this session
		servers, relays = append(servers, s), append(relays, d.Relay)
	}
	var all sync.WaitGroup
	for i, from := range servers {
		to := servers[1-i].user.jid
		all.Go(func() {
			for n := range messages {
				if err := from.user.conn.Send(fmt.Sprintf("<message to='%s' type='chat' id='n%d'><body>number %d</body><padding xmlns='urn:example:padding'>%s</padding></message>", to, n, n, padding)); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	defer all.Wait()
	for n := range messages {
		for i, s := range servers {
			e := s.user.await(fmt.Sprint("message ", n), func(e *xmltree.Element) bool {
				return e.Name.Local == "message" && strings.HasPrefix(e.ChildText("body"), "number ")
			})
			if e.Attr("type") == "error" || e.Attr("from") != servers[1-i].user.full() || e.ChildText("body") != fmt.Sprint("number ", n) {
				t.Fatalf("%s got %s, wants number %d", s.Host, e.ChildText("body"), n)
			}
			if n%(messages/cuts) == messages/cuts/2 {
				relays[i].Cut() // what comes to this server
			}
		}
	}
}
