package integration_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/integration/peers"
)

// deployment is an XMPP server with a gateway to a network: dragoman alone, or Prosody or
// ejabberd with dragoman as its component.
type deployment struct {
	server  *peers.Server
	gateway *peers.Dragoman // the process that holds the gateway
	domain  string          // of the gateway
	// fillsRosters reports whether the gateway may put contacts into rosters by itself (XEP-0356).
	fillsRosters bool
	// keepsBookmarks reports whether it may change users' bookmarks (XEP-0356 §6).
	keepsBookmarks bool
	// files is the address below which files of the network are served; empty: they keep the network's.
	files string
	// restart ends the server, and starts it again on the same data.
	restart func()
}

// testAccounts are the accounts of a deployment.
var testAccounts = []peers.Account{{User: "sally", Password: "slix one"}, {User: "simon", Password: "slix two"}}

// fastRetries are the settings that make a gateway try again at once.
const fastRetries = `
[gateway]
retry_min = "20ms"
retry_max = "100ms"
`

// gatewaySection is the configuration of a gateway to w.
func gatewaySection(w fakeNetwork, more string) string {
	return fmt.Sprintf("%s\n[%s]\nenabled = true\napi_url = %q\ntimeout = \"5s\"\n%s%s", fastRetries, w.kind(), w.apiURL(), presenceSetting(w), more)
}

// presenceSetting makes the gateway poll presence often, which Slack does not push.
func presenceSetting(w fakeNetwork) string {
	if w.kind() == "slack" {
		return "presence = \"1s\"\n"
	}
	return ""
}

// embedded is dragoman with the gateway inside.
func embedded(t *testing.T, w fakeNetwork) *deployment {
	t.Helper()
	d := peers.StartDragoman(t, peers.Options{
		Setup: peers.Setup{Host: testHost, Accounts: testAccounts}, Settings: gatewaySection(w, ""), LocalWeb: true, Limits: "offline_messages = 10000\noffline_bytes = \"16 MiB\"",
	})
	return &deployment{server: &d.Server, gateway: d, domain: w.kind() + "." + testHost, fillsRosters: true, keepsBookmarks: true, files: "http://" + d.HTTPAddr + "/media/", restart: d.Restart}
}

// ownFiles has a gateway serve files at an address, which is returned, and its settings.
func ownFiles(t *testing.T) (address, settings string) {
	t.Helper()
	addr := fmt.Sprintf("127.0.0.1:%d", peers.FreePort(t))
	return "http://" + addr + "/media/", fmt.Sprintf("\n[listen]\nhttp = [%q]\n[web]\nurl = %q\n", addr, "http://"+addr)
}

// underProsody is Prosody with dragoman as a component.
func underProsody(t *testing.T, w fakeNetwork, privileged bool) *deployment {
	t.Helper()
	c := peers.Component{Domain: w.kind() + "." + testHost, Secret: "between the two", Privileged: privileged}
	p := peers.StartProsody(t, peers.Setup{Host: testHost, Accounts: testAccounts, Components: []peers.Component{c}})
	files, settings := ownFiles(t)
	d := peers.StartGateway(t, &p.Server, gatewaySection(w, fmt.Sprintf("domain = %q\nsecret = %q\n", c.Domain, c.Secret))+settings)
	return &deployment{server: &p.Server, gateway: d, domain: c.Domain, fillsRosters: privileged, keepsBookmarks: privileged, files: files, restart: p.Restart}
}

// underEjabberd is ejabberd with dragoman as a component.
func underEjabberd(t *testing.T, w fakeNetwork, privileged bool) *deployment {
	t.Helper()
	c := peers.Component{Domain: w.kind() + "." + testHost, Secret: "between the two", Privileged: privileged}
	e := peers.StartEjabberd(t, peers.Setup{Host: testHost, Accounts: testAccounts, Components: []peers.Component{c}})
	files, settings := ownFiles(t)
	d := peers.StartGateway(t, &e.Server, gatewaySection(w, fmt.Sprintf("domain = %q\nsecret = %q\n", c.Domain, c.Secret))+settings)
	return &deployment{
		server: &e.Server, gateway: d, domain: c.Domain, fillsRosters: privileged && e.FillsRosters(), keepsBookmarks: privileged && e.FillsRosters(),
		files: files, restart: e.Restart,
	}
}

// deployments are the ways to run a gateway.
var deployments = []struct {
	name  string
	need  func(t testing.TB)
	build func(t *testing.T, w fakeNetwork) *deployment
}{
	{"embedded", func(testing.TB) {}, embedded},
	{"prosody", needProsody, func(t *testing.T, w fakeNetwork) *deployment { return underProsody(t, w, false) }},
	{"prosody with privileges", needProsody, func(t *testing.T, w fakeNetwork) *deployment { return underProsody(t, w, true) }},
	{"ejabberd", needEjabberd, func(t *testing.T, w fakeNetwork) *deployment { return underEjabberd(t, w, false) }},
	{"ejabberd with privileges", needEjabberd, func(t *testing.T, w fakeNetwork) *deployment { return underEjabberd(t, w, true) }},
}

func needProsody(t testing.TB)  { peers.Need(t, "prosody") }
func needEjabberd(t testing.TB) { peers.NeedEjabberd(t) }

// forEachDeployment runs a test with each network in each kind of deployment.
func forEachDeployment(t *testing.T, test func(ctx context.Context, t *testing.T, h *deployment, w fakeNetwork)) {
	t.Helper()
	t.Parallel()
	for _, d := range deployments {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			d.need(t)
			forEachNetwork(t, func(t *testing.T, w fakeNetwork) {
				ctx, cancel := context.WithTimeout(t.Context(), 4*peerTimeout)
				defer cancel()
				test(ctx, t, d.build(t, w), w)
			})
		})
	}
}

// forEachNetwork runs a test with each network.
func forEachNetwork(t *testing.T, test func(t *testing.T, w fakeNetwork)) {
	t.Helper()
	for name, start := range map[string]func(*testing.T) fakeNetwork{
		"slack":   func(t *testing.T) fakeNetwork { return newSlackNetwork(t).asFakeNetwork() },
		"discord": func(t *testing.T) fakeNetwork { return newDiscordNetwork(t).asFakeNetwork() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, start(t))
		})
	}
}

// login starts a slixmpp client and logs it in.
func (h *deployment) login(ctx context.Context, t *testing.T, account peers.Account) *peers.Slixmpp {
	t.Helper()
	s := peers.StartSlixmpp(t)
	if err := s.Login(ctx, h.server, account); err != nil {
		t.Fatal(err)
	}
	return s
}

// link links a login by the gateway's ad-hoc command: it finds the command by its name and fills in its form.
func (h *deployment) link(ctx context.Context, t *testing.T, s *peers.Slixmpp, w fakeNetwork) {
	t.Helper()
	h.perform(ctx, t, s, "link", w.tokens())
}

// relink gives the gateway new tokens for the login.
func (h *deployment) relink(ctx context.Context, t *testing.T, s *peers.Slixmpp, w fakeNetwork) {
	t.Helper()
	h.perform(ctx, t, s, "relink", w.tokens())
}

// perform carries out a command of the gateway from its list of commands (XEP-0050 §2.2).
func (h *deployment) perform(ctx context.Context, t *testing.T, s *peers.Slixmpp, name string, answers map[string]string) {
	t.Helper()
	node := h.commandNode(ctx, t, s, name)
	st := command(ctx, t, s, h.domain, node)
	for range 5 {
		if st.Status == "completed" {
			for _, n := range st.Notes {
				if n[0] == "error" {
					t.Fatalf("command %s ended with an error: %s", name, n[1])
				}
			}
			return
		}
		if st.Status != "executing" || st.Form == nil {
			t.Fatalf("command %s is at %+v", name, st)
		}
		st = st.next(ctx, t, "", fill(t, st, answers))
	}
	t.Fatalf("command %s does not end: %+v", name, st)
}

// commandNode finds a command by its node's end or its name.
func (h *deployment) commandNode(ctx context.Context, t *testing.T, s *peers.Slixmpp, name string) string {
	t.Helper()
	var list struct {
		Items []struct{ JID, Node, Name string }
	}
	var found string
	err := peers.Poll(ctx, func() error {
		err := s.Do(ctx, "items", map[string]any{"to": h.domain, "node": "http://jabber.org/protocol/commands"}, &list)
		if err != nil {
			return err
		}
		for _, i := range list.Items {
			if i.Node == name || strings.HasSuffix(i.Node, "#"+name) || strings.HasSuffix(i.Node, "/"+name) || strings.HasSuffix(i.Node, ":"+name) {
				found = i.Node
				return nil
			}
		}
		return fmt.Errorf("no command %s in %v", name, list.Items)
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// fill answers a form: with the answer for the last part of a field's name, else with the form's default, else
// with the first option.
func fill(t *testing.T, st stage, answers map[string]string) map[string]any {
	t.Helper()
	values := map[string]any{}
	for _, f := range st.Form.Fields {
		if f.Var == "" || f.Type == "fixed" {
			continue
		}
		last := f.Var[strings.LastIndexAny(f.Var, "#/:.")+1:]
		answer, loggedIn := answers[last]
		switch {
		case loggedIn:
			values[f.Var] = answer
		case f.Value != nil && f.Value != "":
			values[f.Var] = f.Value
		case len(f.Options) > 0:
			values[f.Var] = f.Options[0]
		case f.Required:
			t.Fatalf("the form %q asks for %s (%s), which is not known", st.Form.Title, f.Var, f.Label)
		}
	}
	return values
}

// contacts waits until the friend is in the user's roster. Where the gateway may not fill the roster, the friend
// requests a subscription and the user approves it.
func (h *deployment) contacts(ctx context.Context, t *testing.T, s *peers.Slixmpp, w fakeNetwork) (friend string, contact peers.Contact) {
	t.Helper()
	local, _, _ := w.friend()
	friend = local + "@" + h.domain
	if !h.fillsRosters {
		await(ctx, t, s, presenceOf(friend, "subscribe"))
		for _, kind := range []string{"subscribed", "subscribe"} {
			if err := s.Do(ctx, "presence", map[string]any{"to": friend, "type": kind}, nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	err := peers.Poll(ctx, func() error {
		roster := map[string]peers.Contact{}
		if err := s.Do(ctx, "roster", nil, &roster); err != nil {
			return err
		}
		var ok bool
		if contact, ok = roster[friend]; !ok || contact.Subscription != "to" && contact.Subscription != "both" {
			return fmt.Errorf("the roster has no contact %s whose presence is seen, but %v", friend, roster)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return friend, contact
}

// findRoom finds the channel among the gateway's items (XEP-0030), below workspaces or guilds.
func (h *deployment) findRoom(ctx context.Context, t *testing.T, s *peers.Slixmpp, w fakeNetwork) string {
	t.Helper()
	local, name := w.channel()
	room := local + "@" + h.domain
	var seen []string
	err := peers.Poll(ctx, func() error {
		seen = nil
		queue := []struct{ JID, Node string }{{JID: h.domain}}
		for asked := 0; len(queue) > 0 && asked < 20; asked++ {
			var list struct {
				Items []struct{ JID, Node, Name string }
			}
			args := map[string]any{"to": queue[0].JID}
			if queue[0].Node != "" {
				args["node"] = queue[0].Node
			}
			queue = queue[1:]
			if err := s.Do(ctx, "items", args, &list); err != nil {
				continue // not everything that is listed has items of its own
			}
			for _, i := range list.Items {
				seen = append(seen, fmt.Sprintf("%s %s %q", i.JID, i.Node, i.Name))
				if i.JID == room && strings.TrimPrefix(i.Name, "#") == name {
					return nil
				}
				queue = append(queue, struct{ JID, Node string }{i.JID, i.Node})
			}
		}
		return fmt.Errorf("room %s (%s) is not offered, but %q", room, name, seen)
	})
	if err != nil {
		t.Fatal(err)
	}
	return room
}
