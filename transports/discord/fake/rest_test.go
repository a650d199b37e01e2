package fake_test

import (
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/transports/discord/fake"
)

type m = map[string]any

func TestReads(t *testing.T) {
	t.Parallel()
	w := newTestDiscord(t, fake.Options{})
	if a := w.call("GET", "/users/@me", nil); a.body["username"] != "bridge" || a.body["bot"] != true {
		t.Errorf("me: %s", a.raw)
	}
	if a := w.call("GET", "/users/@me/guilds?with_counts=true", nil); len(a.list) != 1 {
		t.Errorf("guilds: %s", a.raw)
	}
	for _, p := range []string{
		path("users", w.ann), path("guilds", w.guild), path("guilds", w.guild) + "?with_counts=true",
		path("guilds", w.guild, "channels"), path("guilds", w.guild, "members") + "?limit=10", path("guilds", w.guild, "threads", "active"),
		path("channels", w.general), path("channels", w.general, "webhooks"), "/gateway/bot", "/oauth2/applications/@me", "/applications/@me",
	} {
		if a := w.call("GET", p, nil); a.status != http.StatusOK {
			t.Errorf("GET %s: %d %s", p, a.status, a.raw)
		}
	}
	if a := w.call("GET", "/gateway/bot", nil); !strings.HasPrefix(a.body["url"].(string), "ws://127.0.0.1:") {
		t.Errorf("gateway: %s", a.raw)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	w := newTestDiscord(t, fake.Options{Unlimited: true})
	hidden := w.AddChannel(w.guild, fake.Channel{Name: "hidden", Hidden: true})
	quiet := w.AddChannel(w.guild, fake.Channel{Name: "quiet"})
	w.Allow(quiet, w.bot.ID(), 0, fake.SendMessages|fake.ManageWebhooks|fake.ManageChannels)
	forum := w.AddChannel(w.guild, fake.Channel{Name: "forum", Kind: fake.Forum})
	annsMessage := w.id(w.Say(w.general, w.ann, "hello"))
	elsewhere := w.AddGuild("Elsewhere", w.owner)

	messages := path("channels", w.general, "messages")
	for name, c := range map[string]struct {
		method, path string
		body         any
		status, code int
	}{
		"hidden channel":         {"GET", path("channels", hidden), nil, 403, 50001},
		"no such channel":        {"GET", "/channels/1", nil, 404, 10003},
		"no such guild":          {"GET", "/guilds/1", nil, 404, 10004},
		"foreign guild":          {"GET", path("guilds", elsewhere), nil, 403, 50001},
		"no such user":           {"GET", "/users/1", nil, 404, 10013},
		"no such message":        {"GET", messages + "/1", nil, 404, 10008},
		"no snowflake":           {"GET", "/channels/general", nil, 400, 50035},
		"limit too large":        {"GET", messages + "?limit=101", nil, 400, 50035},
		"may not write":          {"POST", path("channels", quiet, "messages"), m{"content": "x"}, 403, 50013},
		"empty":                  {"POST", messages, m{"content": " \n"}, 400, 50006},
		"too long":               {"POST", messages, m{"content": strings.Repeat("ä", 2001)}, 400, 50035},
		"nonce too long":         {"POST", messages, m{"content": "x", "nonce": strings.Repeat("n", 26)}, 400, 50035},
		"in a forum":             {"POST", path("channels", forum, "messages"), m{"content": "x"}, 400, 40058},
		"reply to nothing":       {"POST", messages, m{"content": "x", "message_reference": m{"message_id": "1"}}, 400, 50035},
		"another's edit":         {"PATCH", messages + "/" + text(annsMessage), m{"content": "x"}, 403, 50005},
		"emoji that is none":     {"PUT", messages + "/" + text(annsMessage) + "/reactions/thumbsup/@me", nil, 400, 10014},
		"webhook without right":  {"POST", path("channels", quiet, "webhooks"), m{"name": "x"}, 403, 50013},
		"webhook name":           {"POST", path("channels", w.general, "webhooks"), m{"name": "Discord friend"}, 400, 50035},
		"webhook name clyde":     {"POST", path("channels", w.general, "webhooks"), m{"name": "my ClyDe"}, 400, 50035},
		"webhook with bad token": {"POST", "/webhooks/1/abc", m{"content": "x"}, 404, 10015},
		"body that is no object": {"POST", messages, []int{1}, 400, 50109},
	} {
		t.Run(name, func(t *testing.T) {
			w.refused(c.method, c.path, c.body, c.status, c.code)
		})
	}
}

func TestTokensAndVersions(t *testing.T) {
	t.Parallel()
	w := newTestDiscord(t, fake.Options{})
	get := func(url, token, agent string) answer {
		r, err := http.NewRequestWithContext(w.ctx, "GET", url, nil)
		w.ok(err)
		r.Header.Set("Authorization", token)
		r.Header.Set("User-Agent", agent)
		a, err := w.send(r)
		w.ok(err)
		return a
	}
	const agent = "DiscordBot (https://example.org, 1)"
	old := w.bot.Token()
	if a := get(w.APIURL()+"/users/@me", "Bot "+old, agent); a.status != 200 {
		t.Errorf("good token: %s", a.raw)
	}
	if a := get(w.URL()+"/api/v9/users/@me", "Bot "+old, agent); a.status != 200 {
		t.Errorf("version 9: %s", a.raw)
	}
	for _, token := range []string{"", "Bot ", "Bot nonsense", old} {
		if a := get(w.APIURL()+"/users/@me", token, agent); a.status != 401 {
			t.Errorf("token %q: %d %s", token, a.status, a.raw)
		}
	}
	w.bot.ResetToken()
	if a := get(w.APIURL()+"/users/@me", "Bot "+old, agent); a.status != 401 {
		t.Errorf("old token: %d", a.status)
	}
	if a := get(w.APIURL()+"/users/@me", "Bot "+w.bot.Token(), "Go-http-client/1.1"); a.status != 403 || a.body["code"] != 40333. {
		t.Errorf("user agent: %s", a.raw)
	}
	if n := w.Refused(); n != 6 {
		t.Errorf("%d refused requests counted, want 6", n)
	}
}

func TestHistoryPages(t *testing.T) {
	t.Parallel()
	w := newTestDiscord(t, fake.Options{})
	var all []fake.ID
	for range 7 {
		all = append(all, w.id(w.Say(w.general, w.ann, "line")))
	}
	page := func(query string) []fake.ID {
		var got []fake.ID
		for _, e := range w.call("GET", path("channels", w.general, "messages")+query, nil).list {
			got = append(got, fake.ID(e.(m)["id"].(string)))
		}
		slices.Reverse(got) // the API has the newest first
		return got
	}
	for query, want := range map[string][]fake.ID{
		"":                                     all,
		"?limit=2":                             all[5:],
		"?limit=2&before=" + text(all[3]):      all[1:3],
		"?limit=2&after=" + text(all[3]):       all[4:6],
		"?limit=100&after=" + text(all[6]):     nil,
		"?limit=3&around=" + text(all[3]):      all[2:5],
		"?limit=100&after=0":                   all,
		"?limit=3&after=" + text(all[0][:5]):   all[:3],
		"?limit=100&before=" + text(all[0]):    nil,
		"?limit=1&before=99999999999999999999": all[6:],
	} {
		if query == "?limit=1&before=99999999999999999999" {
			w.refused("GET", path("channels", w.general, "messages")+query, nil, 400, 50035) // more than 64 bits
			continue
		}
		if got := page(query); !slices.Equal(got, want) {
			t.Errorf("%q: %v, want %v", query, got, want)
		}
	}
	if at := all[0].Time(); time.Since(at) > time.Minute || time.Until(at) > time.Second {
		t.Errorf("time of an id: %v", at)
	}
}

func TestNonceIsIdempotent(t *testing.T) {
	t.Parallel()
	w := newTestDiscord(t, fake.Options{})
	send := func(nonce string, enforce bool) string {
		a := w.call("POST", path("channels", w.general, "messages"), m{"content": "once", "nonce": nonce, "enforce_nonce": enforce})
		if a.body["nonce"] != nonce {
			t.Errorf("nonce came back as %v", a.body["nonce"])
		}
		return a.body["id"].(string)
	}
	first := send("n1", true)
	if again := send("n1", true); again != first {
		t.Error("a second message for an enforced nonce")
	}
	if other := send("n2", true); other == first {
		t.Error("the same message for another nonce")
	}
	if send("n1", false) == first {
		t.Error("a nonce that is not enforced is no key")
	}
	if n := len(w.Transcript(w.general)); n != 3 {
		t.Errorf("%d messages, want 3", n)
	}
}

func TestAllowedMentions(t *testing.T) {
	t.Parallel()
	w := newTestDiscord(t, fake.Options{Unlimited: true})
	w.bot.Permit(w.guild, fake.BridgePermissions|fake.MentionEveryone)
	original := w.id(w.Say(w.general, w.bob, "a question"))
	body := "@everyone <@" + text(w.ann) + "> <@!" + text(w.bob) + ">"
	for name, c := range map[string]struct {
		allowed  any
		want     []fake.ID
		everyone bool
	}{
		"all":     {nil, []fake.ID{w.ann, w.bob}, true},
		"none":    {m{"parse": []string{}}, nil, false},
		"users":   {m{"parse": []string{"users"}}, []fake.ID{w.ann, w.bob}, false},
		"one":     {m{"parse": []string{}, "users": []fake.ID{w.ann}}, []fake.ID{w.ann}, false},
		"replied": {m{"parse": []string{}, "replied_user": true}, []fake.ID{w.bob}, false},
	} {
		t.Run(name, func(t *testing.T) {
			b := m{"content": body, "message_reference": m{"message_id": original}}
			if c.allowed != nil {
				b["allowed_mentions"] = c.allowed
			}
			a := w.call("POST", path("channels", w.general, "messages"), b)
			got, err := w.WaitMessage(w.ctx, w.general, func(x fake.Message) bool { return text(x.ID) == a.body["id"] })
			w.ok(err)
			if !slices.Equal(got.Mentions, c.want) || got.Everyone != c.everyone || got.ReplyTo != original {
				t.Errorf("mentioned %v, everyone %v, reply to %q", got.Mentions, got.Everyone, got.ReplyTo)
			}
		})
	}
}

func TestRateLimits(t *testing.T) {
	t.Parallel()
	now := time.Now() // all of it happens in a moment, however slow the machine
	w := newTestDiscord(t, fake.Options{Now: func() time.Time { return now }})
	messages := path("channels", w.general, "messages")
	for i := range 5 {
		a := w.call("POST", messages, m{"content": "x"})
		if want := string(rune('4' - i)); a.status != 200 || a.header.Get("X-RateLimit-Remaining") != want || a.header.Get("X-RateLimit-Bucket") == "" {
			t.Errorf("message %d: %d, remaining %q, want %s", i, a.status, a.header.Get("X-RateLimit-Remaining"), want)
		}
	}
	a := w.call("POST", messages, m{"content": "x"})
	after, ok := a.body["retry_after"].(float64)
	if a.status != 429 || !ok || after <= 0 || after > 5 || a.body["global"] != false || a.header.Get("X-RateLimit-Scope") != "user" {
		t.Errorf("sixth: %d %s %v", a.status, a.raw, a.header)
	}
	other := w.AddChannel(w.guild, fake.Channel{Name: "other"})
	if a := w.call("POST", path("channels", other, "messages"), m{"content": "x"}); a.status != 200 {
		t.Errorf("another channel is another bucket: %d", a.status)
	}
	global := 0
	for range 60 {
		if a := w.call("GET", "/users/@me", nil); a.status == 429 && a.body["global"] == true && a.header.Get("X-RateLimit-Global") == "true" {
			global++
		}
	}
	if global == 0 {
		t.Error("no global limit after 60 requests in a moment")
	}
}

func TestBucketsFillAgain(t *testing.T) {
	t.Parallel()
	var elapsed atomic.Int64
	start := time.Now()
	w := newTestDiscord(t, fake.Options{Now: func() time.Time { return start.Add(time.Duration(elapsed.Load())) }})
	send := func() int {
		return w.call("POST", path("channels", w.general, "messages"), m{"content": "x"}).status
	}
	for range 5 {
		same(t, "status", send(), 200)
	}
	same(t, "status", send(), 429)
	elapsed.Add(int64(5 * time.Second))
	same(t, "status after the reset", send(), 200)
}
