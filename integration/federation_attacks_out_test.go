package integration_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/integration/peers"
	"github.com/dragoman-im/dragoman/integration/xmltree"
)

// answerTLS are the steps of a server that another one connects to, until TLS is in force.
func answerTLS(domain string, files *peers.Authority) []peers.Step {
	return []peers.Step{
		{"until", "stream:stream"},
		{"send", serverHeader("from='"+domain+"' id='first' version='1.0'") + "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls></stream:features>"},
		{"until", "<starttls"}, {"send", "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"}, {"tls", files.CertFile, files.KeyFile}, {"until", "stream:stream"},
	}
}

const dialbackFeature = "<stream:features><dialback xmlns='urn:xmpp:features:dialback'><errors/></dialback></stream:features>"

// answerDialback are the steps until the other server has sent a dialback key.
func answerDialback(domain, id string, files *peers.Authority) []peers.Step {
	return append(answerTLS(domain, files), peers.Step{"send", serverHeader("from='"+domain+"' id='"+id+"' version='1.0'") + dialbackFeature}, peers.Step{"until", "</db:result>"})
}

// wrongServer is a server that answers wrongly, the condition with which a stanza to its domain comes back, and what it is sent itself.
type wrongServer struct {
	domain string
	steps  []peers.Step
	want   string
	sent   []string
	port   int
}

// wrongServers are all below evil.example, but those whose certificates are not valid.
func (a *attacked) wrongServers(t *testing.T) []wrongServer {
	t.Helper()
	const found, late = "remote-server-not-found", "remote-server-timeout"
	rest := peers.Step{"rest"}
	raw := func(text string) []peers.Step { return []peers.Step{{"until", "stream:stream"}, {"send", text}, rest} }
	header := func(domain, text string) []peers.Step {
		return raw(serverHeader("from='"+domain+".evil.example' id='x' version='1.0'") + text)
	}
	streamError := func(condition string) string {
		return "<stream:error><" + condition + " xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>"
	}
	result := func(domain, answer string) []peers.Step {
		domain += ".evil.example"
		return append(answerDialback(domain, "x", a.keyFiles), peers.Step{"send", strings.ReplaceAll(answer, "DOMAIN", domain)}, rest)
	}
	const valid = "<db:result from='DOMAIN' to='dragoman.example' type='valid'/>"
	list := []wrongServer{
		{domain: "unknown.evil.example", steps: header("unknown", streamError("host-unknown")), want: found},
		{domain: "error.evil.example", steps: header("error", streamError("undefined-condition")), want: late},
		{domain: "plain.evil.example", steps: header("plain", dialbackFeature), want: found},
		{domain: "prefix.evil.example", steps: header("prefix", "<stream:features><x:y/></stream:features>"), want: late, sent: []string{streamFault + "not-well-formed"}},
		{domain: "large.evil.example", steps: header("large", "<stream:features>"+strings.Repeat("x", 600_000)), want: late},
		{domain: "doctype.evil.example", steps: raw("<!DOCTYPE x [<!ENTITY a 'b'>]>" + serverHeader("from='doctype.evil.example' id='x'")), want: late, sent: []string{streamFault + "restricted-xml"}},
		{domain: "web.evil.example", steps: raw("HTTP/1.1 400 Bad Request\r\n\r\n"), want: late, sent: []string{streamFault + "not-well-formed"}},
		{domain: "client.evil.example", steps: raw("<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' id='x' version='1.0'>"), want: late,
			sent: []string{streamFault + "invalid-namespace"}},
		{domain: "silent.evil.example", steps: []peers.Step{rest}, want: late},
		{domain: "slow.evil.example", steps: []peers.Step{{"until", "stream:stream"}, {"drip", serverHeader("from='slow.evil.example' id='x' version='1.0'"), 0.5}, rest}, want: late},
		{domain: "closes.evil.example", steps: []peers.Step{{"until", "stream:stream"}, {"close"}}, want: late},
		{domain: "invalid.evil.example", steps: result("invalid", "<db:result from='DOMAIN' to='dragoman.example' type='invalid'/>"), want: "internal-server-error"}, // XEP-0220 §2.1.1, as the next one
		{domain: "refuses.evil.example", steps: result("refuses", "<db:result from='DOMAIN' to='dragoman.example' type='error'><error type='cancel'>"+
			"<item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></db:result>"), want: late},
		{domain: "another.evil.example", steps: result("another", "<db:result from='prosody.example' to='dragoman.example' type='valid'/>"), want: late},
		{domain: "reverse.evil.example", steps: result("reverse", forged("x@reverse.evil.example")), want: late, sent: []string{streamFault + "unsupported-stanza-type"}},
		{domain: "accepted.evil.example", steps: result("accepted", valid+forged("alice@prosody.example")), sent: []string{streamFault + "invalid-from"}}, // what was sent may have arrived
	}
	for i, fault := range certificateFaults {
		domain := fmt.Sprintf("certificate%d.strict.example", i)
		list = append(list, wrongServer{domain: domain, steps: append(answerTLS(domain, fault.files(t, a.federation, domain)), rest), want: found})
	}
	return list
}

// announceWrongServers lets others find the wrong servers, and the ones of writeToReplaying and writeToStalled.
func (a *attacked) announceWrongServers(t *testing.T) []wrongServer {
	t.Helper()
	list := a.wrongServers(t)
	for i, s := range list {
		list[i].port = a.announce(t, s.domain, s.steps...)
	}
	a.announce(t, stalledDomain, append(answerDialback(stalledDomain, "x", a.keyFiles),
		peers.Step{"send", "<db:result from='" + stalledDomain + "' to='dragoman.example' type='valid'/>"}, peers.Step{"hold", 60})...)
	for _, domain := range replayingDomains {
		a.announce(t, domain, append(append([]peers.Step{{"wait", domain}}, answerDialback(domain, "{"+domain+"}", a.keyFiles)...),
			peers.Step{"take", "key of " + domain, ">([^<]+)</db:result>"}, peers.Step{"rest"})...)
	}
	return list
}

// announce lets others find the domain at the foreign program, which runs the steps on each connection.
func (a *attacked) announce(t *testing.T, domain string, steps ...peers.Step) (port int) {
	t.Helper()
	port, err := a.foreign.Listen(t.Context(), steps...)
	if err != nil {
		t.Fatal(err)
	}
	a.federation.Announce(t, fmt.Sprintf("127.0.0.1:%d", port), domain)
	return port
}

// writeToWrongServers has a user of ours write to all servers that answer wrongly, at once.
func (a *attacked) writeToWrongServers(t *testing.T, list []wrongServer) {
	t.Helper()
	user := a.login(t.Context(), t, remoteWriter)
	want := map[string]string{}
	for _, s := range list {
		if s.want != "" {
			want[s.domain] = s.want
		}
		user.send("<message to='x@%s' type='chat' id='%[1]s'><body>x</body></message>", s.domain)
	}
	for len(want) > 0 {
		e := user.await(fmt.Sprintf("the errors of %v", want), func(e *xmltree.Element) bool { return want[e.Attr("id")] != "" })
		if fault := e.Find("error"); e.Attr("type") != "error" || fault == nil || fault.Child("urn:ietf:params:xml:ns:xmpp-stanzas", want[e.Attr("id")]) == nil {
			t.Errorf("%s: got %s, want %s", e.Attr("id"), e, want[e.Attr("id")])
		}
		delete(want, e.Attr("id"))
	}
	for _, s := range list {
		if len(s.sent) > 0 {
			got, err := a.foreign.Accepted(t.Context(), s.port)
			if err != nil {
				t.Fatal(err)
			}
			checkReceived(t, s.domain, got, s.sent)
		}
	}
}

const stalledDomain = "stalled.evil.example"

// writeToStalled has a user write to a server that does not read: what is more than the queue takes comes back.
func (a *attacked) writeToStalled(t *testing.T) {
	t.Helper()
	user := a.login(t.Context(), t, stalledWriter)
	padding := strings.Repeat("x", 100_000)
	for i := range 100 { // 10 MB, of which the kernel takes some
		user.send("<message to='x@%s' type='chat' id='stalled%d'><body>%s</body></message>", stalledDomain, i, padding)
	}
	user.await("a message that does not fit the queue", func(e *xmltree.Element) bool {
		fault := e.Find("error")
		return e.Attr("type") == "error" && fault != nil && fault.Child("urn:ietf:params:xml:ns:xmpp-stanzas", "resource-constraint") != nil
	})
}

// replayingDomains are those of a server that uses a key that it was sent itself, on a stream of another server that has the same id: once
// a key of the Prosody at ours, and once a key of ours at the Prosody. Both ask the server that has made the key, which must not know it.
var replayingDomains = [2]string{"key-of-prosody.evil.example", "key-of-ours.evil.example"}

// writeToReplaying has users write to the replaying domains, so that these are sent keys.
func (a *attacked) writeToReplaying(t *testing.T) {
	t.Helper()
	a.login(t.Context(), t, replayWriter).send("<message to='x@%s' type='normal' id='key'><body>x</body></message>", replayingDomains[1])
	replies := peers.Account{User: "mallory", Password: "secret of mallory"}
	a.good.login(t.Context(), t, replies).send("<message to='x@%s' type='normal' id='key'><body>x</body></message>", replayingDomains[0])
}

// replayKey uses a key that the server from has sent to domain, at the victim.
func (a *attacked) replayKey(t *testing.T, domain string, victim, from *federated) {
	ctx, cancel := context.WithTimeout(t.Context(), federationTimeout)
	defer cancel()
	steps := append(securedTo(from.Host, victim.Host), peers.Step{"take", domain, "id=['\"]([^'\"]+)"}, peers.Step{"wait", "key of " + domain},
		peers.Step{"send", fmt.Sprintf("<db:result from='%s' to='%s'>{key of %s}</db:result>", from.Host, victim.Host, domain)}, peers.Step{"until", "db:result"},
		peers.Step{"send", fmt.Sprintf("<message from='x@%s' to='alice@%s' type='chat'><body>forged</body></message>", from.Host, victim.Host)},
		peers.Step{"send", "</stream:stream>"}, peers.Step{"rest"})
	got, err := a.foreign.Dial(ctx, victim.ServerAddr, steps...)
	if err != nil {
		t.Errorf("%s: %v", domain, err)
		return
	}
	checkReceived(t, domain, got, []string{resultElement + " invalid"})
}
