package integration_test

import (
	"bytes"
	"context"
	"crypto/sha1" // XEP-0084 §4.1 asks for it
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/integration/client"
	"github.com/dragoman-im/dragoman/integration/peers"
	"github.com/dragoman-im/dragoman/integration/xmltree"
)

// insideEnv says that this process runs in the namespaces of TestDino.
const insideEnv = "DRAGOMAN_TEST_INSIDE"

// TestDino has Dino log in, chat, correct, get copies, fetch an avatar, exchange files, block, enter a bookmarked room, moderate one,
// resume after a cut and read its history. It runs in namespaces: Dino finds servers by port 5222 and trusts what the machine trusts.
func TestDino(t *testing.T) {
	if os.Getenv(insideEnv) != "" {
		dinoSession(t)
		return
	}
	t.Parallel()
	binary := peers.Binary(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), dinoTimeout+time.Minute)
	defer cancel()
	cmd := namespaces(ctx, t, "testdata/namespace.sh", t.TempDir(), self, "-test.run", "^TestDino$", "-test.v", "-test.timeout", (dinoTimeout + 30*time.Second).String())
	cmd.Env = append(os.Environ(), insideEnv+"=1", peers.BinaryEnv+"="+binary, "DRAGOMAN_TEST_STORE=")
	if out, err := cmd.CombinedOutput(); err != nil || !bytes.Contains(out, []byte("--- PASS: TestDino")) {
		t.Errorf("%v\n%s", err, out)
	}
}

// dinoTimeout is for all that Dino does.
const dinoTimeout = 4 * time.Minute

// dino is Alice's Dino, with Bob's scripted client, whose contact she is.
type dino struct {
	*testing.T
	*peers.Dino
	ctx    context.Context
	server *peers.Server
	bob    *client.Conn
}

// gets waits for a stanza that Bob receives, with all of these texts in it.
func (d *dino) gets(parts ...string) *xmltree.Element {
	d.Helper()
	e, err := nextWith(d.ctx, d.bob, parts...)
	if err != nil {
		d.Fatalf("Bob waits in vain for %q: %v", parts, err)
	}
	return e
}

// nextWith returns the next stanza that has all of these texts in it.
func nextWith(ctx context.Context, conn *client.Conn, parts ...string) (*xmltree.Element, error) {
	for {
		e, err := conn.Next(ctx)
		if err != nil {
			return nil, err
		}
		text, fits := e.String(), true
		for _, part := range parts {
			fits = fits && strings.Contains(text, part)
		}
		if fits {
			return e, nil
		}
	}
}

func (d *dino) send(conn *client.Conn, text string) {
	d.Helper()
	if err := conn.Send(text); err != nil {
		d.Fatal(err)
	}
}

// ask sends a request that has to be answered with a result.
func (d *dino) ask(conn *client.Conn, to, payload string) *xmltree.Element {
	d.Helper()
	kind := "set"
	if strings.HasPrefix(payload, "<request ") {
		kind = "get"
	}
	answer, err := request(d.ctx, conn, kind, to, payload)
	if err != nil || answer.Attr("type") != "result" {
		d.Fatalf("%s: %v %v", payload, answer, err)
	}
	return answer
}

// shows waits for what Dino has sent or received.
func (d *dino) shows(parts ...string) {
	d.Helper()
	if err := d.Await(d.ctx, parts...); err != nil {
		d.Fatal(err)
	}
}

// typed presses keys and types a text until Bob receives what follows from that. The window may not be ready for the first ones.
func (d *dino) typed(text string, before []string, parts ...string) {
	d.Helper()
	for {
		for _, keys := range [][]string{before, {"Return"}} {
			what := text
			if keys[0] == "Return" {
				what = ""
			}
			if err := d.Keys(d.ctx, what, keys...); err != nil {
				d.Fatal(err)
			}
		}
		wait, cancel := context.WithTimeout(d.ctx, 10*time.Second)
		_, err := nextWith(wait, d.bob, parts...)
		cancel()
		if err == nil {
			return
		}
		if d.ctx.Err() != nil {
			d.Fatalf("%q is not sent: %v", text, err)
		}
	}
}

func dinoSession(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), dinoTimeout)
	defer cancel()
	setup := peers.Setup{
		Host: "localhost", Accounts: []peers.Account{{User: "alice", Password: "wonderland"}, {User: "bob", Password: "builder"}},
		Groups: []peers.Group{{Name: "Friends", Members: []string{"alice", "bob"}}},
	}
	server := &peers.StartDragoman(t, peers.Options{Setup: setup, LocalTLS: true}).Server
	trust(t, server.CertFile)
	relay := peers.StartRelay(t, "127.0.0.1:5222", server.ClientAddr)
	bob, err := server.Dial(ctx, setup.Accounts[1], "desk")
	if err != nil {
		t.Fatal(err)
	}
	defer bob.Drop()
	phone, err := server.Dial(ctx, setup.Accounts[0], "phone")
	if err != nil {
		t.Fatal(err)
	}
	defer phone.Drop()
	d := &dino{T: t, ctx: ctx, server: server, bob: bob}
	d.send(bob, "<presence/>")
	d.Dino = peers.StartDino(t, "alice@localhost", "wonderland")

	d.gets("<presence", "alice@localhost/dino.test")
	d.chats(phone)
	d.fetches()
	d.uploads()
	d.blocks()
	d.entersRoom(phone)
	d.moderates()

	relay.Cut()
	d.send(bob, "<message type='chat' id='cut' to='alice@localhost'><body>during the cut</body><request xmlns='urn:xmpp:receipts'/></message>")
	d.shows("{urn:xmpp:sm:3}:resumed")
	d.gets("urn:xmpp:receipts", "cut")

	d.End()
	d.send(bob, "<message type='chat' id='away' to='alice@localhost'><body>while she was away</body></message>")
	d.Start(t)
	d.shows("{urn:xmpp:mam:2}:result", "while she was away")
}

// chats has messages both ways, a correction, and a copy (XEP-0184, XEP-0308, XEP-0280).
func (d *dino) chats(phone *client.Conn) {
	d.Helper()
	d.send(d.bob, "<message type='chat' id='hello' to='alice@localhost'><body>Hello Dino</body><request xmlns='urn:xmpp:receipts'/></message>")
	d.gets("urn:xmpp:receipts", "hello")
	d.typed("Hello Bob", []string{"Escape", "ctrl+Tab"}, "Hello Bob</body>")
	d.typed("by", []string{"Up"}, "urn:xmpp:message-correct:0", "Hello Bobby</body>")
	d.send(phone, "<message type='chat' to='bob@localhost'><body>written elsewhere</body></message>")
	d.shows("{urn:xmpp:carbons:2}:sent", "written elsewhere")
}

// entersRoom has Dino enter a room of Bob's, for a bookmark that another client of Alice saves (XEP-0402, XEP-0045).
func (d *dino) entersRoom(phone *client.Conn) {
	d.Helper()
	const room = "hall@conference.localhost"
	d.send(d.bob, "<presence to='"+room+"/Bob'><x xmlns='http://jabber.org/protocol/muc'/></presence>")
	d.gets("<presence", room+"/Bob")
	d.ask(d.bob, room, "<query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' type='submit'/></query>")
	d.ask(phone, "", "<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='urn:xmpp:bookmarks:1'><item id='"+room+"'>"+
		"<conference xmlns='urn:xmpp:bookmarks:1' name='Hall' autojoin='true'><nick>Alice</nick></conference></item></publish></pubsub>")
	d.gets("<presence", room+"/Alice")
	d.send(d.bob, "<message type='groupchat' to='"+room+"'><body>Hello, hall</body></message>")
	d.shows("Hello, hall")
}

// fetches has Dino fetch Bob's avatar and a file (XEP-0084, XEP-0363).
func (d *dino) fetches() {
	d.Helper()
	picture, err := base64.StdEncoding.DecodeString("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
	if err != nil {
		d.Fatal(err)
	}
	sum := sha1.Sum(picture)
	id := hex.EncodeToString(sum[:])
	for _, publish := range []string{
		"<publish node='urn:xmpp:avatar:data'><item id='" + id + "'><data xmlns='urn:xmpp:avatar:data'>" + base64.StdEncoding.EncodeToString(picture) + "</data></item></publish>",
		fmt.Sprintf("<publish node='urn:xmpp:avatar:metadata'><item id='%s'><metadata xmlns='urn:xmpp:avatar:metadata'><info bytes='%d' id='%[1]s' type='image/png'/></metadata></item></publish>", id, len(picture)),
	} {
		d.ask(d.bob, "", "<pubsub xmlns='http://jabber.org/protocol/pubsub'>"+publish+"</pubsub>")
	}
	d.stores(filepath.Join("avatars", id), picture)

	answer := d.ask(d.bob, "upload.localhost", fmt.Sprintf("<request xmlns='urn:xmpp:http:upload:0' filename='a.png' size='%d' content-type='image/png'/>", len(picture)))
	put := answer.Find("slot", "put")
	url := put.Attr("url")
	status, err := slot{url, put.ChildText("header")}.put(d.ctx, int64(len(picture)), bytes.NewReader(picture))
	if err != nil || status != 201 {
		d.Fatalf("upload: %d, %v", status, err)
	}
	url = answer.Find("slot", "get").Attr("url")
	d.send(d.bob, "<message type='chat' to='alice@localhost'><body>"+url+"</body><x xmlns='jabber:x:oob'><url>"+url+"</url></x></message>")
	d.stores(filepath.Join("files", "*"), picture)
}

// stores waits until a file of Dino's that matches a pattern has these contents.
func (d *dino) stores(pattern string, want []byte) {
	d.Helper()
	err := peers.Poll(d.ctx, func() error {
		files, err := filepath.Glob(filepath.Join(d.Data, pattern))
		for _, f := range files {
			if got, err := os.ReadFile(f); err == nil && bytes.Equal(got, want) {
				return nil
			}
		}
		return fmt.Errorf("%s: not among %q, %v", pattern, files, err)
	})
	if err != nil {
		d.Fatal(err)
	}
}

// trust makes this namespace trust the authority of a certificate.
func trust(t *testing.T, file string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("/usr/local/share/ca-certificates/test.crt", text, 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "update-ca-certificates").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}
