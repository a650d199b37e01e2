package slack

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"

	slackgo "github.com/slack-go/slack"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/slack/content"
	"github.com/dragoman-im/dragoman/transports/slack/webapi"
)

// maxText is the length that Slack recommends for one message (docs: chat.postMessage), in characters with what is escaped.
const maxText = 4000

// Options are the network's settings.
type Options struct {
	APIURL   string        // base of the Web API, with a slash at the end
	Timeout  time.Duration // of one call
	Presence time.Duration // between two questions for the presence of everybody; 0 never asks
	Pace     time.Duration // between questions that nobody waits for; 1.3 s, as Slack's tier 3 allows 50 a minute
	Silence  time.Duration // after which a socket without a ping is given up; 30 s
	RetryMin time.Duration // first wait before the socket is opened again
	RetryMax time.Duration // longest wait
	Log      *slog.Logger
}

// Network is Slack.
type Network struct {
	o     Options
	http  *http.Client
	media *http.Client // for files, which may take long

	mu   sync.Mutex
	apps map[string]*app // by app-level token
}

// New makes the network.
func New(o Options) *Network {
	if o.APIURL == "" {
		o.APIURL = slackgo.APIURL
	}
	if o.APIURL[len(o.APIURL)-1] != '/' {
		o.APIURL += "/"
	}
	if o.Timeout <= 0 {
		o.Timeout = 30 * time.Second
	}
	if o.Pace <= 0 {
		o.Pace = paceEvery
	}
	if o.Silence <= 0 {
		o.Silence = 30 * time.Second
	}
	if o.RetryMin <= 0 {
		o.RetryMin = time.Second
	}
	o.RetryMax = max(o.RetryMax, o.RetryMin)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.ResponseHeaderTimeout = o.Timeout
	return &Network{
		o: o, apps: map[string]*app{}, media: &http.Client{Transport: transport, CheckRedirect: refuseRedirect},
		// slack-go's own client has no timeout, and reads answers of any size.
		http: &http.Client{Timeout: o.Timeout, Transport: webapi.Bounded(http.DefaultTransport.(*http.Transport).Clone()), CheckRedirect: refuseRedirect},
	}
}

// refuseRedirect keeps tokens, which are in the forms of many calls, from going where an answer sends them.
func refuseRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// Info describes Slack.
func (n *Network) Info() transports.Info {
	return transports.Info{
		Kind: "slack", Name: "Slack", Short: "slack", Type: "slack", Caps: transports.Caps{
			MessageCaps: transports.MessageCaps{
				Edit: true, Delete: true, Moderate: true, React: true, Read: true, History: true, Relay: true, Media: true, Reply: true, Thread: true, Repeatable: true, MentionAll: true,
			},
			RoomCaps:   transports.RoomCaps{Directory: true, Direct: true, Members: true, Narrow: true},
			PeopleCaps: transports.PeopleCaps{Presence: true, Profiles: true},
			Limits:     transports.Limits{MaxText: maxText, Length: content.Length, Files: transports.FileLimits{Count: maxFiles, Size: maxFileSize}},
			Changes:    []transports.ChangeKind{transports.ChangeJoin, transports.ChangeLeave, transports.ChangeTopic},
		},
		Origin: n.origin(),
	}
}

// origin is where the network is, if not at Slack: there its pictures are too.
func (n *Network) origin() string {
	u, err := url.Parse(n.o.APIURL)
	if err != nil || n.o.APIURL == slackgo.APIURL {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// ClientType lets the contract be checked at start.
func (n *Network) ClientType() transports.Client { return (*client)(nil) }

// api makes a Web API client for one token.
func (n *Network) api(token string) *webapi.API {
	return webapi.New(n.http, n.o.APIURL, token, n.o.Log)
}

// sockets asks for sockets with an app-level token. It is slack-go's client, which its socket needs.
func (n *Network) sockets(token string) *slackgo.Client {
	return slackgo.New("", slackgo.OptionAppLevelToken(token), slackgo.OptionAPIURL(n.o.APIURL), slackgo.OptionHTTPClient(n.http))
}

// Open connects a login.
func (n *Network) Open(ctx context.Context, login transports.Login, sink transports.Sink) (transports.Client, error) {
	c, err := parseCredentials(login.Secret)
	if err != nil {
		return nil, transports.Relink("the account's tokens cannot be read: link it again", err)
	}
	s := newClient(n, login, c, sink)
	if err := s.check(ctx); err != nil {
		s.stop()
		return nil, err
	}
	n.join(s)
	s.start()
	return s, nil
}

// join adds a client to its app, whose socket is opened for the first one.
func (n *Network) join(s *client) {
	n.mu.Lock()
	a := n.apps[s.cred.App]
	if a == nil {
		a = newApp(n, s.cred)
		n.apps[s.cred.App] = a
		a.start()
	}
	s.app = a
	a.add(s) // while n is locked: the app may not end meanwhile as the one of a last login that leaves
	n.mu.Unlock()
	a.reportSocket(s)
}

// leave takes a client from its app and ends the app with the last one.
func (n *Network) leave(s *client) {
	n.mu.Lock()
	last := s.app.remove(s)
	if last && n.apps[s.cred.App] == s.app {
		delete(n.apps, s.cred.App)
	}
	n.mu.Unlock()
	if last {
		s.app.stop()
	}
}
