package bosh

import (
	"context"
	"crypto/sha1" //nolint:gosec // XEP-0124 §15.3
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/dragoman-im/dragoman/core/stream"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const message = "<message xmlns='jabber:client' to='a@b'><body>x</body></message>"

// client makes the requests of one session.
type client struct {
	*testing.T
	sessions Sessions
	*Session
	rid int64
}

// body returns the body of the next request.
func (c *client) body(attributes, content string) *Request {
	c.Helper()
	c.rid++
	sid := ""
	if c.Session != nil {
		sid = " sid='" + c.id + "'"
	}
	return c.parse(fmt.Sprintf("<body xmlns='%s' xmlns:xmpp='urn:xmpp:xbosh' rid='%d'%s %s>%s</body>", NS, c.rid, sid, attributes, content))
}

func (c *client) parse(text string) *Request {
	c.Helper()
	r, err := Parse([]byte(text))
	if err != nil {
		c.Fatalf("%s: %v", text, err)
	}
	return r
}

// begin begins a session, whose first answer has the features.
func begin(t *testing.T, attributes string) *client {
	t.Helper()
	c := &client{T: t, rid: 1000}
	r := c.body("to='home.test' ver='1.6' "+attributes, "")
	c.Session = c.sessions.Create(r, 10_000, true)
	t.Cleanup(func() { _ = c.Refuse(BadRequest) })
	answer := c.start(r)
	if got := c.read(); !strings.HasPrefix(got, "<open ") || !strings.Contains(got, " to='home.test'") {
		t.Errorf("began with %q", got)
	}
	c.write("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='home.test' id='i' version='1.0'/>", "<stream:features xmlns:stream='"+stream.NSStream+"'/>")
	got := c.wait(answer)
	for _, want := range []string{" sid='" + c.id + "'", " from='home.test'", " xmpp:restartlogic='true'", "<stream:features "} {
		if !strings.Contains(got, want) && c.settings.hold > 0 {
			t.Errorf("first answer %q without %q", got, want)
		}
	}
	return c
}

// start makes a request.
func (c *client) start(r *Request) chan Answer {
	answer := make(chan Answer, 1)
	go func() { answer <- c.Do(context.Background(), r) }()
	synctest.Wait()
	return answer
}

func (c *client) wait(answer chan Answer) string {
	c.Helper()
	synctest.Wait()
	select {
	case a := <-answer:
		return string(a.Body)
	default:
		c.Fatal("not answered")
		return ""
	}
}

// do makes a request that is answered at once.
func (c *client) do(r *Request) string {
	c.Helper()
	return c.wait(c.start(r))
}

// read returns the next element that the stream reads.
func (c *client) read() string {
	c.Helper()
	for {
		f, err := c.ReadFrame()
		if err != nil {
			c.Fatal(err)
		}
		if f != nil {
			return string(f)
		}
	}
}

// drained reads all that the stream can read now.
func (c *client) drained() {
	for c.HasFrame() {
		_, _ = c.ReadFrame()
	}
}

func (c *client) write(frames ...string) {
	c.Helper()
	var ends []int
	n := 0
	for _, f := range frames {
		n += len(f)
		ends = append(ends, n)
	}
	if err := c.WriteFrames([]byte(strings.Join(frames, "")), ends); err != nil {
		c.Fatal(err)
	}
}

// ended checks the answer that ends a session.
func (c *client) ended(got, condition string) {
	c.Helper()
	want := " type='terminate'"
	if condition != "" {
		want += " condition='" + condition + "'"
	}
	if !strings.Contains(got, want) || condition == "" && strings.Contains(got, "condition") {
		c.Errorf("ended with %q, want %q", got, want)
	}
}

// over checks that the stream has ended as if its connection had.
func (c *client) over() {
	c.Helper()
	for c.HasFrame() {
		_, _ = c.ReadFrame()
	}
	if _, err := c.ReadFrame(); !errors.Is(err, io.ErrUnexpectedEOF) {
		c.Errorf("the stream reads %v", err)
	}
	if err := c.WriteFrames([]byte(message), []int{len(message)}); !errors.Is(err, net.ErrClosed) {
		c.Errorf("the stream writes: %v", err)
	}
	time.Sleep(10 * time.Minute)
	if n := c.sessions.Len(); n != 0 {
		c.Errorf("%d sessions are left", n)
	}
}

func bubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, f)
}

// XEP-0124 §7, §8: a request waits for what the stream writes; a further one is answered in its place; an empty answer comes after "wait".
func TestRequestsWait(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := begin(t, "wait='20' hold='1'")
		first := c.start(c.body("", message))
		if got := c.read(); got != message {
			t.Errorf("read %q", got)
		}
		c.write(message)
		if got := c.wait(first); !strings.Contains(got, ">"+message+"</body>") {
			t.Errorf("got %q", got)
		}
		second := c.start(c.body("", ""))
		third := c.start(c.body("", ""))
		if got := c.wait(second); strings.Contains(got, "message") || strings.Contains(got, "type=") || strings.Contains(got, "sid=") {
			t.Errorf("got %q", got)
		}
		c.drained()
		before := time.Now()
		<-third
		if waited := time.Since(before); waited != 20*time.Second {
			t.Errorf("waited %v", waited)
		}
		c.write(message, message)
		if got := c.do(c.body("", "")); strings.Count(got, "<message ") != 2 {
			t.Errorf("got %q", got)
		}
		last := c.start(c.body("type='terminate'", message))
		c.drained()
		c.write("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>")
		c.ended(c.wait(last), "")
		_ = c.Close()
		c.over()
	})
}

// XEP-0124 §14.2: elements reach the stream, and answers the client, in the order of rid.
func TestRequestsInOrder(t *testing.T) { // checklist 115
	bubble(t, func(t *testing.T) {
		c := begin(t, "")
		one, two := c.body("", "<a xmlns='x'/>"), c.body("", "<b xmlns='x'/>")
		second := c.start(two)
		first := c.start(one)
		if a, b := c.read(), c.read(); a != "<a xmlns='x'/>" || b != "<b xmlns='x'/>" {
			t.Errorf("read %q, %q", a, b)
		}
		if got := c.wait(first); strings.Contains(got, "type=") {
			t.Errorf("got %q", got)
		}
		c.write(message)
		if got := c.wait(second); !strings.Contains(got, "<message") {
			t.Errorf("got %q", got)
		}
		c.rid += 2
		c.ended(c.do(c.body("", "")), NotFound) // beyond the window
		c.over()
	})
}

// XEP-0124 §14.3: a client whose connection was lost makes the request again and gets the same answer; nothing reaches the stream twice.
func TestLostConnection(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := begin(t, "")
		r := c.body("", message)
		ctx, cancel := context.WithCancel(t.Context())
		go c.Do(ctx, r)
		synctest.Wait()
		cancel()
		synctest.Wait()
		c.write(message) // for nobody, as yet
		again := c.start(r)
		if got := c.wait(again); !strings.Contains(got, "<message") {
			t.Errorf("got %q", got)
		}
		if got := c.do(r); !strings.Contains(got, "<message") {
			t.Errorf("the answer was lost, and then %q", got)
		}
		if got := c.read(); got != message {
			t.Errorf("read %q", got)
		}
		if c.HasFrame() {
			t.Error("read twice")
		}
		waiting := c.body("", "")
		older := c.start(waiting)
		newer := c.start(waiting)
		if got := c.wait(older); !strings.Contains(got, " type='error'") {
			t.Errorf("the older one got %q", got)
		}
		c.write(message)
		if got := c.wait(newer); !strings.Contains(got, "<message") {
			t.Errorf("the newer one got %q", got)
		}
		for range maxRepeats {
			c.do(waiting)
		}
		c.ended(c.do(waiting), PolicyViolation)
		c.over()
	})
}

// XEP-0124 §14.3: an answer that is not kept any more cannot be had again.
func TestAnswerThatIsNotKept(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := begin(t, "")
		old := c.body("", message)
		answer := c.start(old)
		for range 3 {
			c.start(c.body("", message))
			c.drained()
		}
		c.wait(answer)
		c.ended(c.do(old), NotFound)
		c.drained()
		c.over()
	})
}

// XEP-0124 §10: a client that makes no request is gone after a while, later if it has asked for a pause.
func TestInactivity(t *testing.T) { // checklist 115
	for name, pause := range map[string]time.Duration{"": 0, "pause='100'": 100 * time.Second, "pause='5'": 5 * time.Second} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c := begin(t, "")
				limit := inactivity
				if pause > 0 {
					held := c.start(c.body("", ""))
					if got := c.do(c.body(name, "")); strings.Contains(got, "<message") {
						t.Errorf("a pause was answered by %q", got)
					}
					c.wait(held)
					limit = pause
				}
				c.write(message) // it waits
				c.drained()
				begun := time.Now()
				if _, err := c.ReadFrame(); !errors.Is(err, io.ErrUnexpectedEOF) || time.Since(begun) != limit {
					t.Errorf("%v after %v", err, time.Since(begun))
				}
				c.ended(c.do(c.body("", "")), NotFound)
				c.over()
			})
		})
	}
}

// XEP-0124 §10: the next request ends the pause.
func TestPauseEnds(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := begin(t, "")
		c.do(c.body("pause='120'", ""))
		time.Sleep(100 * time.Second)
		c.write(message)
		if got := c.do(c.body("", "")); !strings.Contains(got, "<message") {
			t.Errorf("got %q", got)
		}
		c.drained()
		begun := time.Now()
		if _, err := c.ReadFrame(); !errors.Is(err, io.ErrUnexpectedEOF) || time.Since(begun) != inactivity {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
	})
}

// XEP-0124 §11, §12: too many requests, requests for nothing that follow too soon, and pauses that are too long end the session.
func TestTooManyRequests(t *testing.T) {
	for name, c := range map[string]struct {
		creation, attributes string
		times                int
	}{
		"polls": {"hold='0'", "", 2}, "long pause": {"", "pause='121'", 1},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				client := begin(t, c.creation)
				for range c.times - 1 {
					client.do(client.body(c.attributes, ""))
					if client.settings.hold == 0 {
						client.do(client.body(c.attributes, "")) // got the features, and this one got nothing
					}
				}
				client.ended(client.do(client.body(c.attributes, "")), PolicyViolation)
				client.over()
			})
		})
	}
}

// XEP-0124 §12: a client that polls gets what there is.
func TestPolling(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := begin(t, "wait='0'")
		if got := c.do(c.body("", "")); !strings.Contains(got, "<stream:features") {
			t.Errorf("got %q", got)
		}
		for range 3 {
			time.Sleep(pollInterval)
			if got := c.do(c.body("", "")); strings.Contains(got, "type=") {
				t.Errorf("got %q", got)
			}
		}
		c.drained()
		if _, err := c.ReadFrame(); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Error(err)
		}
	})
}

// XEP-0124 §15: with keys, who has read the identifiers of a session cannot make a request in it, or get an answer again.
func TestKeys(t *testing.T) { // checklist 115
	bubble(t, func(t *testing.T) {
		hash := func(s string) string {
			sum := sha1.Sum([]byte(s)) //nolint:gosec // XEP-0124 §15.3
			return hex.EncodeToString(sum[:])
		}
		k1 := hash("seed")
		k2, other := hash(k1), hash(hash("other seed"))
		c := begin(t, "newkey='"+hash(k2)+"'")
		right := c.body("key='"+strings.ToUpper(k2)[:0]+k2+"'", "")
		answer := c.start(right)
		c.write(message)
		c.wait(answer)
		c.do(c.body("key='"+k1+"' newkey='"+other+"' pause='1'", ""))
		forged := c.parse(fmt.Sprintf("<body xmlns='%s' rid='%d' sid='%s' key='x'/>", NS, right.RID, c.id))
		c.ended(c.do(forged), NotFound)
		c.drained()
		c.over()

		c = begin(t, "newkey='"+k2+"'")
		c.ended(c.do(c.body("key='"+k2+"'", message)), NotFound)
		c.drained()
		c.over()
	})
}

// XEP-0206 §5, §6: the stream begins again; an error of the stream ends the session, with what was written before.
func TestStreamOfXMPP(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := begin(t, "xml:lang='de'")
		answer := c.start(c.body("xmpp:restart='true' to='home.test'", message))
		if got := c.read(); !strings.HasPrefix(got, "<open ") || !strings.Contains(got, " to='home.test'") {
			t.Errorf("read %q", got)
		}
		c.write(message, "<stream:error xmlns:stream='"+stream.NSStream+"'/>", "<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>")
		got := c.wait(answer)
		c.ended(got, RemoteStreamError)
		if !strings.Contains(got, message+"<stream:error") {
			t.Errorf("got %q", got)
		}
		if got := c.read(); !strings.HasPrefix(got, "<close ") {
			t.Errorf("read %q", got)
		}
		_ = c.Close()
		c.over()
	})
}

// Without a request that waits, the next one gets the end; it can be had again.
func TestEndWithoutRequest(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := begin(t, "")
		c.write("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>")
		_ = c.Close()
		last := c.body("", "")
		c.ended(c.do(last), "")
		c.ended(c.do(last), "")
		c.ended(c.do(c.body("", "")), NotFound)
		c.over()
	})
}

// A client that sends faster than the stream reads gets no answer, and a stream that writes more than the client fetches waits.
func TestBackPressure(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := begin(t, "")
		c.SetMaxFrame(300_000)
		long := "<message xmlns='jabber:client'><body>" + strings.Repeat("x", inputBytes) + "</body></message>"
		first := c.start(c.body("", long))
		second := c.start(c.body("", long))
		if len(first) > 0 || len(second) > 0 {
			t.Error("answered before the stream has read")
		}
		third := c.start(c.body("", long))
		c.ended(c.wait(third), PolicyViolation)
		c.ended(c.wait(first), OtherRequest)
		c.wait(second)
		c.drained()
		c.over()

		c = begin(t, "")
		_ = c.SetWriteDeadline(time.Now().Add(time.Minute / 2))
		half := strings.Repeat("<a xmlns='x'/>", outputBytes/20)
		c.write(half)
		done := make(chan error, 1)
		go func() { done <- c.WriteFrames([]byte(half), []int{len(half)}) }()
		synctest.Wait()
		if len(done) > 0 {
			t.Error("did not wait")
		}
		c.do(c.body("", ""))
		if err := <-done; err != nil {
			t.Error(err)
		}
		c.write(half)
		begun := time.Now()
		_ = c.SetWriteDeadline(begun.Add(time.Second))
		if err := c.WriteFrames([]byte(half), []int{len(half)}); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(begun) != time.Second {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
		_ = c.Close()
		c.ended(c.do(c.body("", "")), lostConnection)
		c.drained()
		c.over()
	})
}

// A request whose time is over while the stream does not read is answered when it does; nothing is done meanwhile.
func TestWaitWhileTheStreamIsSlow(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := begin(t, "wait='1'")
		c.SetMaxFrame(300_000)
		answer := c.start(c.body("", "<message xmlns='jabber:client'><body>"+strings.Repeat("x", inputBytes)+"</body></message>"))
		time.Sleep(10 * time.Second) // it would not pass while the timer has something to do
		if len(answer) > 0 {
			t.Error("answered before the stream has read")
		}
		c.drained()
		if got := c.wait(answer); strings.Contains(got, "type=") {
			t.Errorf("got %q", got)
		}
		_ = c.Close()
	})
}

// A pause that is asked for when the stream has ended is no longer than the time for which the last answer is kept.
func TestPauseAtTheEnd(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := begin(t, "")
		c.do(c.body("pause='1'", ""))
		c.write("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>")
		_ = c.Close()
		c.ended(c.do(c.body("pause='120'", "")), "")
		c.over()
	})
}

// A read deadline ends a read that waits, and is not lost where something has arrived.
func TestReadDeadline(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := begin(t, "")
		go func() {
			time.Sleep(time.Second)
			_ = c.SetReadDeadline(time.Unix(1, 0))
		}()
		c.drained()
		if _, err := c.ReadFrame(); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error(err)
		}
		_ = c.SetReadDeadline(time.Time{})
		c.SetMaxFrame(10)
		c.start(c.body("", message))
		if _, err := c.ReadFrame(); !errors.Is(err, stream.ErrTooBig) {
			t.Error(err)
		}
		_ = c.Close()
	})
}

// What is no body, or has what XMPP forbids, is refused (CVE-2022-0217).
func TestParse(t *testing.T) {
	t.Parallel()
	body := "<body xmlns='" + NS + "' rid='5'>"
	for text, want := range map[string][]string{
		body + "</body>": nil,
		" <?xml version='1.0'?>\n" + body + "\n</body>\n":                                                                                          nil,
		body + message + " " + message + "</body>":                                                                                                 {message, message},
		body + "<a xmlns='x'><a/><b c='>'/>t</a><d xmlns='x'/></body>":                                                                             {"<a xmlns='x'><a/><b c='>'/>t</a>", "<d xmlns='x'/>"},
		strings.Replace(body, " rid", " xmlns:p='urn:p' rid", 1) + "<a xmlns='x'\nxmlns:p = 'urn:r'><p:b/></a></body>":                             {"<a xmlns='x'\nxmlns:p = 'urn:r'><p:b/></a>"},
		body + "<a xmlns='x'><![CDATA[</a>]]></a></body>":                                                                                          {"<a xmlns='x'><![CDATA[</a>]]></a>"},
		strings.Replace(body, " rid", " xmlns:p='urn:p' xmlns:q='urn:q' rid", 1) + "<p:a><p:b/></p:a><a xmlns='x' p:c='' xmlns:p='urn:r'/></body>": {"<p:a xmlns:p='urn:p'><p:b/></p:a>", "<a xmlns='x' p:c='' xmlns:p='urn:r'/>"},
	} {
		r, err := Parse([]byte(text))
		if err != nil || r.RID != 5 || len(r.payloads) != len(want) {
			t.Errorf("%s: %+v, %v", text, r, err)
			continue
		}
		for i, p := range r.payloads {
			if string(p) != want[i] {
				t.Errorf("%s: element %d is %s", text, i, p)
			}
		}
	}
	for _, text := range []string{
		"", "x", "<body rid='5'/>", "<message xmlns='" + NS + "' rid='5'/>", strings.Replace(body, "'5'", "'0'", 1) + "</body>",
		strings.Replace(body, "'5'", "'9007199254740992'", 1) + "</body>", strings.Replace(body, " rid='5'", "", 1) + "</body>",
		strings.Replace(body, "rid", "wait='-1' rid", 1) + "</body>", strings.Replace(body, "rid", "pause='x' rid", 1) + "</body>",
		body + "text</body>", body + "<![CDATA[text]]></body>", body, body + "<a xmlns='x'></body>", body + "</body><a/>",
		"<!DOCTYPE a [<!ENTITY b 'c'>]>" + body + "</body>", body + "<!-- a --></body>", body + "<?a b?></body>", body + "\xff</body>", body + "&b;</body>",
		body + strings.Repeat("<a xmlns='x'>", 300) + strings.Repeat("</a>", 300) + "</body>",
	} {
		if r, err := Parse([]byte(text)); err == nil {
			t.Errorf("%.200q: %+v", text, r)
		}
	}
}

func TestSessionID(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"<body rid='1' sid='abc'>": "abc", `<body sid="abc" rid="1"/>`: "abc", "<body rid='1'><a sid='x'/>": "", "<body sid='abc": "", "": "",
	} {
		if got := SessionID([]byte(text)); got != want {
			t.Errorf("%s: %q", text, got)
		}
	}
}

// A client asks for the media type of answers, and is not believed where it is none.
func TestContentType(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"text/html": "text/html", "text/xml; charset=utf-8": "text/xml; charset=utf-8", "": "", "x\r\nSet-Cookie: a=b": "", "text/" + strings.Repeat("x", 100): "",
	} {
		if got := contentType(text); got != want {
			t.Errorf("%q: %q", text, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("<body xmlns='" + NS + "' xmlns:p='urn:p' rid='5' sid='x'>" + message + "<p:a/></body>"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := Parse(b)
		if err != nil {
			return
		}
		for _, p := range r.payloads { // each is an element by itself
			s := stream.NewFramed("jabber:client", stream.Limits{Bytes: 1 << 20, Elements: 1 << 20, Depth: 300, Attrs: 300})
			if _, err := s.Frame(p); err != nil && !strings.Contains(err.Error(), "header") {
				t.Errorf("%q has the element %q: %v", b, p, err)
			}
		}
	})
}
