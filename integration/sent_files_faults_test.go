package integration_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	discord "github.com/dragoman-im/dragoman/transports/discord/fake"
	slack "github.com/dragoman-im/dragoman/transports/slack/fake"
)

// fileFault makes a network fail once while it takes files.
type fileFault struct {
	name   string
	inject func()
}

// fileFaults are the ways in which the calls fail that send files.
func fileFaults(w fakeNetwork) (list []fileFault) {
	switch n := w.friendActions.(type) {
	case *slackNetwork:
		for _, method := range []string{"files.getUploadURLExternal", "upload", "files.completeUploadExternal"} {
			for i, fault := range []slack.Fault{slack.LostReply(), slack.ServerError(503), slack.FailsAfter(503), slack.Garbage(), slack.RateLimited(time.Second)} {
				list = append(list, fileFault{fmt.Sprint(method, " ", i), func() { n.server.Break(method, 1, fault) }})
			}
		}
		for _, late := range []time.Duration{100 * time.Millisecond, time.Second} {
			list = append(list, fileFault{"late answer", func() { n.server.Break("files.completeUploadExternal", 1, slack.LateReply(late)) }})
		}
		list = append(list, fileFault{"files.info", func() {
			n.server.Break("files.completeUploadExternal", 1, slack.LostReply())
			n.server.Break("files.info", 2, slack.ServerError(503))
		}})
	case *discordNetwork:
		const route = "POST /webhooks/{webhook_id}/{webhook_token}"
		for i, fault := range []discord.Action{discord.LoseReply(), discord.Broken(503), discord.RateLimit(time.Second)} {
			list = append(list, fileFault{fmt.Sprint(route, " ", i), func() { n.server.Inject(route, 1, fault) }})
		}
	}
	return list
}

// TestFilesOnce has each call fail that sends files: in the end they are shown once, and in order.
func TestFilesOnce(t *testing.T) {
	t.Parallel()
	forEachNetwork(t, func(t *testing.T, w fakeNetwork) {
		ctx, cancel := context.WithTimeout(t.Context(), 8*peerTimeout)
		defer cancel()
		f := newFilesFixture(ctx, t, w, "")
		var want []string
		for i, fault := range fileFaults(w) {
			fault.inject()
			caption := fmt.Sprint("Look ", i)
			f.shareBoth(fmt.Sprint("files-", i), caption)
			want = append(want, bothShown(caption))
			if f.shows(ctx, fmt.Sprint("behind ", i), want...); t.Failed() {
				t.Fatalf("after the fault %q", fault.name)
			}
		}
	})
}

// TestFileGoneMeanwhile has the answer of a network be lost, and the file be gone when the call is repeated: it was sent as a file, and is
// not sent again as a link.
func TestFileGoneMeanwhile(t *testing.T) {
	t.Parallel()
	forEachNetwork(t, func(t *testing.T, w fakeNetwork) {
		ctx, cancel := context.WithTimeout(t.Context(), 4*peerTimeout)
		defer cancel()
		var reads atomic.Int64
		source := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodGet && reads.Add(1) > 1 || r.Method == http.MethodHead && reads.Load() > 0 {
				http.NotFound(w, r)
				return
			}
			_, _ = io.WriteString(w, "content")
		}))
		t.Cleanup(source.Close)
		f := newFilesFixture(ctx, t, w, "[media]\nprivate = [\"127.0.0.0/8\"]\n")
		if n, ok := w.friendActions.(*slackNetwork); ok {
			n.server.Break("files.completeUploadExternal", 1, slack.LostReply())
		} else {
			w.loseReply(false)
		}
		f.me.say("files-1", oob(source.URL+"/gone.txt"))
		f.shows(ctx, "behind", "| gone.txt=content")
		if lines := w.lines(false); slices.ContainsFunc(lines, func(l string) bool { return strings.Contains(l, source.URL) }) {
			t.Errorf("it is sent as a link too: %q", lines)
		}
	})
}

// TestFilesKilled kills the server while it sends files: before the upload is answered, between the upload and its completion, and after
// that. In the end they are shown once.
func TestFilesKilled(t *testing.T) {
	t.Parallel()
	forEachNetwork(t, func(t *testing.T, w fakeNetwork) {
		ctx, cancel := context.WithTimeout(t.Context(), 8*peerTimeout)
		defer cancel()
		f := newFilesFixture(ctx, t, w, "")
		var want []string
		for i, hold := range holdFiles(w) {
			caption := fmt.Sprint("Look ", i)
			want = append(want, bothShown(caption))
			held := hold()
			f.shareBoth(fmt.Sprint("files-", i), caption)
			release := held(ctx, t, want)
			f.d.Kill()
			release()
			f.d.Start()
			f.enter(ctx)
			if f.shows(ctx, fmt.Sprint("behind ", i), want...); t.Failed() {
				t.Fatalf("after kill %d", i)
			}
		}
	})
}

// holdFiles are the moments at which files are being sent: each holds a call, waits until it is there, and lets it go.
func holdFiles(w fakeNetwork) (list []func() (held func(ctx context.Context, t *testing.T, shown []string) (release func()))) {
	switch n := w.friendActions.(type) {
	case *slackNetwork:
		for _, method := range []string{"files.completeUploadExternal", "upload"} { // of an upload the end of the process is not noticed
			list = append(list, func() func(context.Context, *testing.T, []string) func() {
				n.server.Await(context.Background(), func() bool { return n.server.Pending() == 0 }) // of the process before
				mend := n.server.Break(method, 1, slack.Hang())
				return func(ctx context.Context, t *testing.T, _ []string) func() {
					if !n.server.Await(ctx, func() bool { return n.server.Pending() > 0 }) {
						t.Fatalf("%s is not called", method)
					}
					return mend
				}
			})
		}
		list = append(list, func() func(context.Context, *testing.T, []string) func() {
			mend := n.server.Break("files.completeUploadExternal", 1, slack.LateReply(time.Minute))
			return func(ctx context.Context, t *testing.T, shown []string) func() {
				awaitFiles(ctx, t, w, func(lines []string) bool { return len(lines) == len(shown) })
				return mend
			}
		})
	case *discordNetwork:
		const route = "POST /webhooks/{webhook_id}/{webhook_token}"
		for _, action := range []discord.Action{discord.Hang(), discord.HoldReply()} {
			list = append(list, func() func(context.Context, *testing.T, []string) func() {
				in := n.server.Inject(route, 1, action)
				return func(ctx context.Context, t *testing.T, _ []string) func() {
					if err := in.Wait(ctx, 1); err != nil {
						t.Fatal(err)
					}
					return in.Release
				}
			})
		}
	}
	return list
}
