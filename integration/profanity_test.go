package integration_test

import (
	"context"
	"crypto/sha1" // XEP-0084 §4.1 asks for it
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/integration/client"
	"github.com/dragoman-im/dragoman/integration/peers"
	"github.com/dragoman-im/dragoman/integration/xmltree"
)

// profanity is Sally's profanity, with Simon's scripted client, whose contact she is.
type profanity struct {
	*testing.T
	*peers.Profanity
	ctx    context.Context
	relay  *peers.Relay // to the server
	server *peers.Server
	simon  *client.Conn
}

// types types lines and waits for a line of the log with all of these texts.
func (p *profanity) types(line string, parts ...string) string {
	p.Helper()
	if err := p.Type(line); err != nil {
		p.Fatal(err)
	}
	return p.logs(parts...)
}

func (p *profanity) logs(parts ...string) string {
	p.Helper()
	found, err := p.Await(p.ctx, parts...)
	if err != nil {
		p.Fatal(err)
	}
	return found
}

// start starts Sally's profanity, or starts it again, and waits until it is online.
func (p *profanity) start() {
	p.Helper()
	behind := *p.server
	behind.ClientAddr = p.relay.Addr
	p.Profanity = peers.StartProfanity(p.T, &behind, foreignSetup.Accounts[0], p.Dir)
	p.logs("RECV", "jabber:iq:roster")
	p.logs("SENT", "<presence")
}

// receives waits until Simon's client has got a stanza of a kind that fits.
func (p *profanity) receives(kind string, fits func(*xmltree.Element) bool) *xmltree.Element {
	p.Helper()
	for {
		e, err := p.simon.Next(p.ctx)
		if err != nil {
			p.Fatalf("Simon waits in vain for %s: %v", kind, err)
		}
		if e.Name.Local == kind && fits(e) {
			return e
		}
	}
}

func (p *profanity) send(text string) {
	p.Helper()
	if err := p.simon.Send(text); err != nil {
		p.Fatal(err)
	}
}

// TestProfanity has profanity log in, chat, get copies, upload a file, fetch an avatar, keep bookmarks and block somebody.
func TestProfanity(t *testing.T) {
	t.Parallel()
	peers.Need(t, "profanity")
	setup := foreignSetup
	setup.Groups = []peers.Group{{Name: "Friends", Members: []string{"sally", "simon"}}}
	server := &peers.StartDragoman(t, peers.Options{Setup: setup, LocalWeb: true}).Server
	ctx, cancel := context.WithTimeout(t.Context(), 3*peerTimeout)
	defer cancel()
	simon, err := server.Dial(ctx, foreignSetup.Accounts[1], "desk")
	if err != nil {
		t.Fatal(err)
	}
	defer simon.Drop()
	p := &profanity{T: t, Profanity: &peers.Profanity{Dir: t.TempDir()}, ctx: ctx, server: server, relay: peers.StartRelay(t, "127.0.0.1:0", server.ClientAddr), simon: simon}
	p.send("<presence/>")
	p.start()

	p.types("/msg "+simonBare+" first words", "SENT", "first words")
	p.receives("message", func(e *xmltree.Element) bool { return e.ChildText("body") == "first words" })
	p.send("<message type='chat' to='" + sallyBare + "'><body>an answer</body></message>")
	p.logs("RECV", "an answer")

	// A copy of what another client of the account writes (XEP-0280).
	p.types("/carbons on", "Message carbons enabled")
	other, err := server.Dial(ctx, foreignSetup.Accounts[0], "other")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Drop()
	if err := other.Send("<message type='chat' to='" + simonBare + "'><body>written elsewhere</body></message>"); err != nil {
		t.Fatal(err)
	}
	p.logs("RECV", "urn:xmpp:carbons:2", "<sent", "written elsewhere")

	// An avatar (XEP-0084): profanity is notified of it, and fetches it.
	picture := []byte("\x89PNG\r\n\x1a\n not much of a picture")
	sum := sha1.Sum(picture)
	id := hex.EncodeToString(sum[:])
	for _, publish := range []string{
		"<publish node='urn:xmpp:avatar:data'><item id='" + id + "'><data xmlns='urn:xmpp:avatar:data'>" + base64.StdEncoding.EncodeToString(picture) + "</data></item></publish>",
		"<publish node='urn:xmpp:avatar:metadata'><item id='" + id + "'><metadata xmlns='urn:xmpp:avatar:metadata'><info bytes='30' id='" + id + "' type='image/png'/></metadata></item></publish>",
	} {
		if answer, err := request(ctx, simon, "set", "", "<pubsub xmlns='http://jabber.org/protocol/pubsub'>"+publish+"</pubsub>"); err != nil || answer.Attr("type") != "result" {
			t.Fatalf("%v %v", answer, err)
		}
	}
	p.types("/avatar get "+simonBare, "RECV", "urn:xmpp:avatar:data", base64.StdEncoding.EncodeToString(picture))

	// A file (XEP-0363), which Simon downloads.
	file := filepath.Join(p.Dir, "text.txt")
	if err := os.WriteFile(file, []byte("the contents"), 0o600); err != nil {
		t.Fatal(err)
	}
	p.types("/sendfile "+file, "RECV", "urn:xmpp:http:upload:0", "<slot")
	sent := p.receives("message", func(e *xmltree.Element) bool { return strings.HasSuffix(e.ChildText("body"), "/text.txt") })
	answer, err := http.Get(sent.ChildText("body"))
	if err != nil {
		t.Fatal(err)
	}
	if err := answer.Body.Close(); err != nil || answer.StatusCode != http.StatusOK || answer.ContentLength != int64(len("the contents")) {
		t.Errorf("%s, %d bytes, %v", answer.Status, answer.ContentLength, err)
	}

	// Bookmarks (XEP-0048), which newer clients see as XEP-0402 has them.
	p.types("/bookmark add hall@rooms.example.org", "SENT", "storage:bookmarks", "hall@rooms.example.org")
	err = peers.Poll(ctx, func() error {
		answer, err := request(ctx, other, "get", "", "<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='urn:xmpp:bookmarks:1'/></pubsub>")
		if err == nil && !strings.Contains(answer.String(), "hall@rooms.example.org") {
			err = fmt.Errorf("bookmarks: %s", answer)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}

	// Blocking (XEP-0191).
	p.types("/blocked add "+simonBare, "RECV", "urn:xmpp:blocking", "<block", simonBare)
	p.send("<message type='chat' id='refused' to='" + sallyBare + "'><body>not for Sally</body></message>")
	p.receives("message", func(e *xmltree.Element) bool { return e.Attr("type") == "error" && e.Attr("id") == "refused" })
	p.types("/blocked remove "+simonBare, "RECV", "urn:xmpp:blocking", "<unblock", simonBare)

	// A cut: profanity resumes its session, and gets what came meanwhile, once (XEP-0198).
	p.types("/reconnect 1", "Input received: /reconnect 1")
	p.relay.Cut()
	p.send("<message type='chat' to='" + sallyBare + "'><body>during the cut</body></message>")
	p.logs("RECV", "<resumed ")
	p.logs("RECV", "during the cut")
	if n, err := p.Count("RECV", "during the cut"); err != nil || n != 1 {
		t.Errorf("%d times, %v", n, err)
	}

	// After a restart: bookmarks, what came while no client was there, and the archive (XEP-0313).
	if err := other.Close(); err != nil {
		t.Error(err)
	}
	if err := p.Quit(ctx); err != nil {
		t.Fatal(err)
	}
	p.send("<message type='chat' to='" + sallyBare + "'><body>while she was away</body></message>")
	p.start()
	p.logs("RECV", "storage:bookmarks", "hall@rooms.example.org")
	p.logs("RECV", "while she was away", "urn:xmpp:delay")
	p.types("/mam on", "Input received: /mam on")
	p.types("/close all", "Input received: /close all")
	p.types("/msg "+simonBare, "SENT", "urn:xmpp:mam:2")
	p.logs("RECV", "urn:xmpp:mam:2", "<result", "during the cut")
	p.logs("RECV", "urn:xmpp:mam:2", "<fin")
}
