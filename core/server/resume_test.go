package server

import (
	"context"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/dragoman-im/dragoman/core/internal/rawstream"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/sasl"
)

// again starts a server with the data of one that has stopped.
func (p *testServer) again() *testServer {
	p.t.Helper()
	next := &testServer{t: p.t, log: &errorLog{}}
	ctx, cancel := context.WithCancel(context.Background())
	var err error
	if next.server, err = New(ctx, p.server.config, Options{Log: slog.New(next.log)}); err != nil {
		cancel()
		p.t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- next.server.Run(ctx) }()
	next.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			p.t.Errorf("run: %v", err)
		}
	})
	p.t.Cleanup(next.stop)
	return next
}

var sessionID = regexp.MustCompile(` id='([^']+)'`)

// resumable is an available session of a user that can be resumed, with its id. It has got got stanzas.
func (p *testServer) resumable(user string) (c *peer, id string, got int) {
	p.t.Helper()
	c = p.loggedIn(user)
	c.Send(bindX)
	c.Until("/x</jid></bind></iq>")
	c.Send("<enable xmlns='urn:xmpp:sm:3' resume='true'/>")
	id = sessionID.FindStringSubmatch(c.Until("/>"))[1]
	c.Send("<presence/>")
	return c, id, stanzas(c.ping())
}

// stanzas counts the stanzas in what a client has read.
func stanzas(text string) int {
	return strings.Count(text, "<message ") + strings.Count(text, "<presence ") + strings.Count(text, "<iq ")
}

func (p *testServer) resume(user, id string, h int) (*peer, string) {
	p.t.Helper()
	c := p.loggedIn(user)
	c.Send(fmt.Sprintf("<resume xmlns='urn:xmpp:sm:3' previd='%s' h='%d'/>", id, h))
	return c, c.Until("/>")
}

func say(to, text string) string {
	return "<message to='" + to + "' type='chat' id='" + text + "'><body>" + text + "</body></message>"
}

// A session is resumed after a restart: what its client has not acknowledged comes again, once and in order, with what came
// meanwhile; its own stanzas are counted on.
func TestResumeAfterRestart(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, extra{})
	romeo, id, got := p.resumable("romeo")
	juliet := p.online("juliet")
	romeo.Send(say("juliet@home.test", "one") + say("juliet@home.test", "two") + "<r xmlns='urn:xmpp:sm:3'/>")
	romeo.Until("<a xmlns='urn:xmpp:sm:3' h='4'/>")
	juliet.Until("two</body>")
	juliet.Send(say("romeo@home.test", "read"))
	romeo.Until("read</body>")
	juliet.Send(say("romeo@home.test", "lost") + "<message to='romeo@home.test/x' type='headline'><body>not archived</body></message>")
	romeo.Until("not archived")
	p.stop()
	p = p.again()
	juliet = p.online("juliet")
	juliet.Send(say("romeo@home.test", "meanwhile"))
	juliet.ping()
	romeo, answer := p.resume("romeo", id, got+1)
	if want := fmt.Sprintf("<resumed xmlns='urn:xmpp:sm:3' previd='%s' h='4'/>", id); !strings.HasSuffix(answer, want) {
		t.Fatalf("got %q", answer)
	}
	romeo.Send(say("juliet@home.test", "three") + "<r xmlns='urn:xmpp:sm:3'/>")
	all := romeo.Until("<a xmlns='urn:xmpp:sm:3' h='5'/>") + romeo.ping()
	for _, text := range []string{"lost", "not archived", "meanwhile"} {
		if n := strings.Count(all, text+"</body>"); n != 1 {
			t.Errorf("%s: %d times in %s", text, n, all)
		}
	}
	if strings.Contains(all, "read</body>") || strings.Index(all, "lost") > strings.Index(all, "meanwhile") {
		t.Errorf("got %s", all)
	}
	juliet.Until("three")
	romeo.Send(fmt.Sprintf("<a xmlns='urn:xmpp:sm:3' h='%d'/>", got+1+stanzas(all)))
	romeo.ping()
	again, answer := p.resume("romeo", id, got+1+stanzas(all)+1)
	if !strings.Contains(answer, "h='7'/>") {
		t.Fatalf("got %q", answer)
	}
	if rest := again.ping(); strings.Contains(rest, "<body>") {
		t.Errorf("again: %s", rest)
	}
}

// Messages for a session that is not resumed after a restart are kept like others, and neither lost nor doubled.
func TestNotResumedAfterRestart(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, extra{login: `resume = "2s"`})
	romeo, id, _ := p.resumable("romeo")
	juliet := p.online("juliet")
	juliet.Send(say("romeo@home.test", "one"))
	romeo.Until("one</body>")
	_ = romeo.Close()
	juliet.Send(say("romeo@home.test", "two"))
	juliet.ping()
	p.stop()
	p = p.again()
	rawstream.Eventually(t, "stored sessions have ended", func() bool { return p.server.clients.Counters.Expired.Load() > 0 })
	if _, answer := p.resume("romeo", id, 0); !strings.Contains(answer, "<item-not-found ") {
		t.Errorf("got %q", answer)
	}
	romeo = p.loggedIn("romeo")
	romeo.Send(bindX)
	romeo.Until("/x</jid></bind></iq>")
	romeo.Send("<presence/>")
	all := romeo.ping()
	for _, text := range []string{"one", "two"} {
		if n := strings.Count(all, text+"</body>"); n != 1 {
			t.Errorf("%s: %d times in %s", text, n, all)
		}
	}
}

// "Tokens survive password change": a stored session is not resumed after the password was changed, or the account deleted.
func TestStoredSessionsRevoked(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, extra{})
	_, romeos, _ := p.resumable("romeo")
	_, nurses, _ := p.resumable("nurse")
	p.stop()
	p = p.again()
	c, err := sasl.NewCredentials("romeo", 1)
	if err == nil {
		err = p.server.store.SetCredentials(context.Background(), jid.MustParse("romeo@home.test"), c)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := p.server.store.RemoveAccount(context.Background(), jid.MustParse("nurse@home.test")); err != nil {
		t.Fatal(err)
	}
	p.server.wakeRemovals(jid.JID{})
	p.restore("nurse")
	for user, id := range map[string]string{"romeo": romeos, "nurse": nurses} {
		if _, answer := p.resume(user, id, 0); !strings.Contains(answer, "<item-not-found ") {
			t.Errorf("%s: %q", user, answer)
		}
	}
}

// What was held for an inactive client when the server stopped comes after it has started again (XEP-0352).
func TestResumeInactiveAfterRestart(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, extra{})
	romeo, id, got := p.resumable("romeo")
	romeo.Send("<inactive xmlns='urn:xmpp:csi:0'/>")
	romeo.ping()
	juliet := p.online("juliet")
	juliet.Send("<message to='romeo@home.test/x'><received xmlns='urn:xmpp:receipts' id='held'/></message>")
	juliet.ping()
	if n := p.server.clients.Counters.Held.Load(); n != 1 {
		t.Fatalf("%d stanzas are held", n)
	}
	p.stop()
	p = p.again()
	romeo, answer := p.resume("romeo", id, got+1)
	if !strings.Contains(answer, "<resumed ") {
		t.Fatalf("got %q", answer)
	}
	if all := romeo.ping(); strings.Count(all, " id='held'/>") != 1 {
		t.Errorf("got %s", all)
	}
}

// A change of the password deletes what is stored of the account's sessions. The session that makes it can be resumed after a restart;
// what one that is not stored any more has not acknowledged goes to the account.
func TestStoredAfterPasswordChange(t *testing.T) {
	t.Parallel()
	for name, own := range map[string]bool{"by the session": true, "of the store": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newTestServer(t, extra{})
			romeo, id, got := p.resumable("romeo")
			if own {
				romeo.Send("<iq type='set' id='change'><query xmlns='jabber:iq:register'><username>romeo</username><password>romeo</password></query></iq>")
				romeo.Until(" id='change' type='result'/>")
				got++
			} else {
				c, err := sasl.NewCredentials("romeo", 1)
				if err == nil {
					err = p.server.store.SetCredentials(context.Background(), jid.MustParse("romeo@home.test"), c)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			juliet := p.online("juliet")
			juliet.Send(say("romeo@home.test", "lost"))
			romeo.Until("lost</body>")
			p.stop()
			p = p.again()
			romeo, answer := p.resume("romeo", id, got)
			if strings.Contains(answer, "<resumed ") != own {
				t.Fatalf("got %q", answer)
			}
			if !own {
				romeo.Send(bindX)
				romeo.Until("/x</jid></bind></iq>")
				romeo.Send("<presence/>")
			}
			if all := romeo.ping(); strings.Count(all, "lost</body>") != 1 {
				t.Errorf("got %s", all)
			}
		})
	}
}
