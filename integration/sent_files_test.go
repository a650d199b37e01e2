package integration_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/integration/peers"
	"github.com/dragoman-im/dragoman/integration/xmltree"
)

// shownFiles are the files of a channel's messages, as "caption|name=content" lines of each message that has some.
func shownFiles(w fakeNetwork) (lines []string) {
	switch n := w.friendActions.(type) {
	case *slackNetwork:
		for _, m := range n.general.Transcript() {
			line := m.Text + "|"
			for _, f := range m.Files {
				line += " " + f.Name() + "=" + string(f.Data())
			}
			if len(m.Files) > 0 && !m.Deleted {
				lines = append(lines, line)
			}
		}
	case *discordNetwork:
		for _, m := range n.server.Transcript(n.general) {
			line := m.Text + "|"
			for _, f := range m.Files {
				line += " " + f.Name + "=" + string(f.Data)
			}
			if len(m.Files) > 0 {
				lines = append(lines, line)
			}
		}
	}
	return lines
}

// awaitFiles waits until a channel's messages with files satisfy ok.
func awaitFiles(ctx context.Context, t *testing.T, w fakeNetwork, ok func(lines []string) bool) {
	t.Helper()
	err := peers.Poll(ctx, func() error {
		if lines := shownFiles(w); !ok(lines) {
			return fmt.Errorf("%s shows %q", w.kind(), lines)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// uploadFile uploads a file (XEP-0363) and returns its address.
func (c *roomClient) uploadFile(ctx context.Context, name string, data []byte) string {
	c.Helper()
	s := requestSlot(ctx, c.T, c.conn, name, int64(len(data)))
	if status, err := s.put(ctx, int64(len(data)), bytes.NewReader(data)); err != nil || status != http.StatusCreated {
		c.Fatalf("upload of %s: %d %v", name, status, err)
	}
	return s.url
}

func oob(url string) string {
	return fmt.Sprintf("<body>%s</body><x xmlns='jabber:x:oob'><url>%s</url></x>", url, url)
}

// filesFixture is a user in a channel of a network who has uploaded two files.
type filesFixture struct {
	*testing.T
	w        fakeNetwork
	d        *peers.Dragoman
	room     string
	me       *roomClient
	one, two string // their addresses
}

func newFilesFixture(ctx context.Context, t *testing.T, w fakeNetwork, settings string) *filesFixture {
	t.Helper()
	d := peers.StartDragoman(t, peers.Options{
		Setup: peers.Setup{Host: testHost, Accounts: testAccounts}, Settings: gatewaySection(w, "") + settings, LocalWeb: true,
	})
	h := &deployment{server: &d.Server, gateway: d, domain: w.kind() + "." + testHost, fillsRosters: true}
	sally := h.login(ctx, t, testAccounts[0])
	waitGateway(ctx, t, sally, h.domain, nil)
	h.link(ctx, t, sally, w)
	f := &filesFixture{T: t, w: w, d: d, room: h.findRoom(ctx, t, sally, w)}
	f.enter(ctx)
	f.one, f.two = f.me.uploadFile(ctx, "one.txt", []byte("first")), f.me.uploadFile(ctx, "two.txt", []byte("second"))
	return f
}

func (f *filesFixture) enter(ctx context.Context) {
	f.me = enterChannel(ctx, f.T, &f.d.Server, testAccounts[0], f.room)
}

// shareBoth sends both files with a caption.
func (f *filesFixture) shareBoth(id, caption string, more ...string) {
	file := "<file-sharing xmlns='urn:xmpp:sfs:0'><file xmlns='urn:xmpp:file:metadata:0'><name>%s</name><desc>What it says</desc></file>" +
		"<sources><url-data xmlns='http://jabber.org/protocol/url-data' target='%s'/></sources></file-sharing>"
	start := len(caption)
	f.me.say(id, "<body>"+caption+"\n"+f.one+"\n"+f.two+"</body>"+fmt.Sprintf(file, "a.txt", f.one)+fmt.Sprintf(file, "b.txt", f.two)+
		fmt.Sprintf("<fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:sfs:0'><body start='%d' end='%d'/></fallback>", start, start+1+len(f.one)+1+len(f.two))+
		strings.Join(more, ""))
}

// lastHas reports whether the last message has a text, which a network may have put into marks.
func lastHas(text string) func(lines []string) bool {
	return func(lines []string) bool { return len(lines) > 0 && strings.Contains(lines[len(lines)-1], text) }
}

// bothShown is how both files are shown with a caption.
func bothShown(caption string) string { return caption + "| a.txt=first b.txt=second" }

// shows wants exactly these messages with files: behind another message, so that none comes later.
func (f *filesFixture) shows(ctx context.Context, last string, want ...string) {
	f.Helper()
	awaitFiles(ctx, f.T, f.w, func(lines []string) bool { return len(lines) >= len(want) })
	f.me.say(last, "<body>"+last+"</body>")
	awaitLines(ctx, f.T, f.w, false, lastIs(last))
	got := shownFiles(f.w)
	if !slices.EqualFunc(got, want, strings.HasSuffix) {
		f.Errorf("%s shows %q, not %q", f.w.kind(), got, want)
	}
}

// TestFilesToNetworks has files that a user has uploaded arrive as files: alone, several with a caption, which can be corrected and taken
// back; one that is too large and one that cannot be read arrive as links, and their sender is notified.
func TestFilesToNetworks(t *testing.T) {
	t.Parallel()
	forEachNetwork(t, func(t *testing.T, w fakeNetwork) {
		ctx, cancel := context.WithTimeout(t.Context(), 4*peerTimeout)
		defer cancel()
		f := newFilesFixture(ctx, t, w, "")
		f.me.say("files-1", oob(f.one))
		awaitFiles(ctx, t, w, func(lines []string) bool { return len(lines) == 1 && strings.HasSuffix(lines[0], "| one.txt=first") })
		f.shareBoth("files-2", "Look")
		f.shows(ctx, "and", "| one.txt=first", bothShown("Look"))

		f.shareBoth("files-2-corrected", "Look here", "<replace xmlns='urn:xmpp:message-correct:0' id='files-2'/>")
		awaitFiles(ctx, t, w, func(lines []string) bool {
			return len(lines) == 2 && strings.HasSuffix(lines[1], bothShown("Look here"))
		})
		reflected := f.me.await(ctx, "the correction", func(e *xmltree.Element) bool { return e.Attr("id") == "files-2-corrected" })
		if e := reflected.Child("urn:xmpp:message-correct:0", "replace"); e == nil || e.Attr("id") != "files-2" || len(filesOf(reflected)) != 2 {
			t.Errorf("the room is shown %s", reflected)
		}
		f.me.say("files-1-retracted", "<retract xmlns='urn:xmpp:message-retract:1' id='files-1'/>")
		awaitFiles(ctx, t, w, func(lines []string) bool { return len(lines) == 1 })

		for i, address := range []string{"https://127.0.0.1:1/private.txt", strings.Replace(f.one, "one.txt", "other.txt", 1)} {
			f.me.say("unreadable-"+strconv.Itoa(i), oob(address))
			awaitLines(ctx, t, w, false, lastHas(address))
			f.me.await(ctx, "the notice", func(e *xmltree.Element) bool { return strings.HasPrefix(bodyOf(e), "Sent as a link, not as a file: ") })
		}
		if w.kind() != "discord" {
			return
		}
		large := f.me.uploadFile(ctx, "large.bin", make([]byte, 11<<20))
		f.me.say("files-4", oob(large))
		awaitLines(ctx, t, w, false, lastHas(large))
		f.me.await(ctx, "the notice", func(e *xmltree.Element) bool {
			return strings.Contains(bodyOf(e), "large.bin") && strings.Contains(bodyOf(e), "up to 10 MiB")
		})
	})
}

// TestSentFileMemory sends a large file to Slack; the server's memory does not grow with it.
func TestSentFileMemory(t *testing.T) {
	t.Parallel()
	size := testedSize(t, 100<<20)
	ctx, cancel := context.WithTimeout(t.Context(), 6*peerTimeout)
	defer cancel()
	network := newSlackNetwork(t)
	f := newFilesFixture(ctx, t, network.asFakeNetwork(), fmt.Sprintf("[upload]\nsize = \"%d B\"\ndaily = \"0 B\"\ntotal = \"0 B\"\n", size))
	f.me.say("small", oob(f.one))
	f.shows(ctx, "behind", "| one.txt=first")
	before, err := f.d.Process().Usage()
	if err != nil {
		t.Fatal(err)
	}
	s := requestSlot(ctx, t, f.me.conn, "large.bin", size)
	sum := sha256.New()
	if status, err := s.put(ctx, size, io.TeeReader(noise(size), sum)); err != nil || status != http.StatusCreated {
		t.Fatal(status, err)
	}
	uploaded, err := f.d.Process().Usage()
	if err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	f.me.say("large", oob(s.url))
	awaitFiles(ctx, t, f.w, func(lines []string) bool { return len(lines) == 2 })
	after, err := f.d.Process().Usage()
	if err != nil {
		t.Fatal(err)
	}
	all := network.general.Transcript()
	if got := all[len(all)-1].Files[0].Sum(); !bytes.Equal(got[:], sum.Sum(nil)) {
		t.Error("Slack has another file than was uploaded")
	}
	grown := after.Peak - before.Peak
	t.Logf("%d MB were sent in %v: the peak of memory has grown by %d KiB, the server used %v of a processor", size/1_000_000,
		time.Since(begun).Round(time.Millisecond), grown>>10, (after.CPU - uploaded.CPU).Round(time.Millisecond))
	if grown > uploadMemory {
		t.Errorf("%d bytes more memory for a file of %d", grown, size)
	}
}

// TestFilesCaughtUp has a network's user share files while the gateway is down: they come with the history, at addresses of the server.
func TestFilesCaughtUp(t *testing.T) {
	t.Parallel()
	forEachNetwork(t, func(t *testing.T, w fakeNetwork) {
		ctx, cancel := context.WithTimeout(t.Context(), 4*peerTimeout)
		defer cancel()
		f := newFilesFixture(ctx, t, w, "")
		w.send(false, "before")
		f.me.awaitBody(ctx, "before")
		f.d.Kill()
		share(t, w, "Look", sharedFile{"one.txt", "", []byte("first")}, sharedFile{"two.txt", "", []byte("second")})
		f.d.Start()
		f.enter(ctx)
		var found *xmltree.Element
		err := peers.Poll(ctx, func() error {
			f.me.send("<iq type='set' id='archive' to='%s'><query xmlns='urn:xmpp:mam:2'/></iq>", f.room)
			f.me.await(ctx, "the archive", func(e *xmltree.Element) bool {
				if m := e.Find("result", "forwarded", "message"); m != nil && len(filesOf(m)) == 2 {
					found = m
				}
				return e.Name.Local == "iq" && e.Attr("id") == "archive"
			})
			if found == nil {
				return errors.New("the archive has no message with files")
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string]string{"one.txt": "first", "two.txt": "second"} {
			if status, data, _ := download(ctx, t, filesOf(found)[name]); status != http.StatusOK || string(data) != want {
				t.Errorf("%s: %d %q", name, status, data)
			}
		}
	})
}

// TestFilesBetweenNetworks has a room that is linked to a Slack and a Discord channel carry files between the three.
func TestFilesBetweenNetworks(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 6*peerTimeout)
	defer cancel()
	n := newTwoNetworks(t)
	d := peers.StartDragoman(t, peers.Options{Setup: peers.Setup{Host: testHost, Accounts: testAccounts}, Settings: n.settings(), LocalWeb: true})
	n.test(ctx, t, d, &d.Server, "garden@conference."+testHost)
	share(t, n.discord, "Look", sharedFile{"one.txt", "", []byte("first")}, sharedFile{"two.txt", "", []byte("second")})
	awaitFiles(ctx, t, n.slack, func(lines []string) bool {
		return len(lines) == 1 && strings.HasSuffix(lines[0], "Look| one.txt=first two.txt=second")
	})
	share(t, n.slack, "", sharedFile{"three.txt", "", []byte("third")})
	awaitFiles(ctx, t, n.discord, func(lines []string) bool { return len(lines) == 2 && strings.HasSuffix(lines[1], "| three.txt=third") })
	simon := enterRoom(ctx, t, &d.Server, testAccounts[1], "garden@conference."+testHost)
	simon.say("file-1", oob(simon.uploadFile(ctx, "four.txt", []byte("fourth"))))
	for _, w := range []fakeNetwork{n.slack, n.discord} {
		awaitFiles(ctx, t, w, func(lines []string) bool {
			return len(lines) == 3 && strings.HasSuffix(lines[2], "| four.txt=fourth")
		})
	}
	large := simon.uploadFile(ctx, "large.bin", make([]byte, 11<<20))
	simon.say("file-2", oob(large))
	awaitFiles(ctx, t, n.slack, func(lines []string) bool { return len(lines) == 4 })
	awaitLines(ctx, t, n.discord, false, lastHas(large))
	simon.await(ctx, "the notice", func(e *xmltree.Element) bool {
		return e.Attr("type") == "chat" && strings.HasPrefix(e.Attr("from"), simon.room+"/") && strings.Contains(bodyOf(e), "large.bin: Discord takes files of up to 10 MiB")
	})
}
