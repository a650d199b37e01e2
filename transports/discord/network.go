package discord

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/bwmarrin/discordgo"

	"github.com/dragoman-im/dragoman/transports"
)

// maxText is the longest content of a message in characters (docs: Create Message).
const maxText = 2000

// defaultAPI is where Discord's REST API is.
const defaultAPI = "https://discord.com/api/"

// version is what a base may end with; discordgo adds its own.
var version = regexp.MustCompile(`/v[0-9]+$`)

// Options are the network's settings.
type Options struct {
	APIURL   string        // base of the REST API, without the version
	Timeout  time.Duration // of one call
	RetryMin time.Duration // first wait before the gateway is connected to again
	RetryMax time.Duration // longest wait
	Log      *slog.Logger
}

// Network is Discord.
type Network struct {
	o    Options
	base *url.URL
	http *http.Client
}

// New makes the network; the only error is an API URL that is none.
func New(o Options) (*Network, error) {
	if o.APIURL == "" {
		o.APIURL = defaultAPI
	}
	base, err := url.Parse(version.ReplaceAllString(strings.TrimSuffix(o.APIURL, "/"), ""))
	if err != nil || base.Host == "" {
		return nil, fmt.Errorf("discord: %q is not a URL", o.APIURL)
	}
	if o.Timeout <= 0 {
		o.Timeout = 30 * time.Second
	}
	if o.RetryMin <= 0 {
		o.RetryMin = time.Second
	}
	o.RetryMax = max(o.RetryMax, o.RetryMin)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	n := &Network{o: o, base: base}
	n.http = &http.Client{Timeout: o.Timeout, Transport: &rewriter{base: base, next: http.DefaultTransport.(*http.Transport).Clone()}}
	return n, nil
}

// rewriter sends discordgo's requests to the configured base: its endpoints are package
// variables, which must not be changed while sessions run.
type rewriter struct {
	base *url.URL
	next http.RoundTripper
}

// RoundTrip sends one request.
func (t *rewriter) RoundTrip(r *http.Request) (*http.Response, error) {
	rest, ok := strings.CutPrefix(r.URL.Path, "/api")
	if r.URL.Host != "discord.com" || !ok {
		return nil, fmt.Errorf("request to %s outside the API", r.URL.Host)
	}
	r = r.Clone(r.Context())
	r.URL.Scheme, r.URL.Host, r.Host = t.base.Scheme, t.base.Host, t.base.Host
	r.URL.Path = t.base.Path + rest
	r.URL.RawPath = ""
	return t.next.RoundTrip(r)
}

// Info describes Discord.
func (n *Network) Info() transports.Info {
	return transports.Info{
		Kind: "discord", Name: "Discord", Short: "discord", Type: "discord", MaxText: maxText,
		Caps: transports.Caps{
			Edit: true, Delete: true, React: true, Typing: true, History: true, Directory: true, Direct: true, Members: true,
			Spaces: true, Presence: true, Profiles: true, Relay: true,
		},
	}
}

// SessionType lets the contract be checked at start.
func (n *Network) SessionType() transports.Session { return (*session)(nil) }

// credentials are an account's secret.
type credentials struct {
	Token string `json:"token"`
	App   string `json:"app"`
	Bot   string `json:"bot"` // the bot's user id
	Name  string `json:"name"`
}

// rest makes a client for one token.
func (n *Network) rest(token string) *discordgo.Session {
	s, err := discordgo.New("Bot " + token)
	if err != nil {
		panic(err) // it has no errors to return for a token
	}
	s.Client = n.http
	s.ShouldRetryOnRateLimit = false // the bridge waits, and knows of shutdown
	s.MaxRestRetries = 0
	s.StateEnabled = false
	return s
}

// Open connects an account.
func (n *Network) Open(ctx context.Context, account transports.Account, sink transports.Sink) (transports.Session, error) {
	var c credentials
	if err := json.Unmarshal(account.Secret, &c); err != nil {
		return nil, transports.Relink("the account's token cannot be read: link it again", err)
	}
	s := newSession(n, account, c, sink)
	if _, err := s.rest.User("@me", discordgo.WithContext(ctx)); err != nil {
		return nil, classify(err)
	}
	s.start()
	return s, nil
}

// Logins lists the one way to link: a bot's token.
func (n *Network) Logins() []transports.LoginFlow {
	return []transports.LoginFlow{{
		ID: "bot", Name: "Paste a bot's token",
		Help: "Make an application with a bot at discord.com/developers/applications, switch its three privileged intents on, invite it to your server, and copy its token.",
	}}
}

// StartLogin begins to link or relink an account.
func (n *Network) StartLogin(_ context.Context, flow string, previous *transports.Account) (transports.Login, error) {
	if flow != "bot" {
		return nil, transports.Refuse("item-not-found", "there is no such way to link an account", nil)
	}
	return &login{n: n, previous: previous}, nil
}

type login struct {
	n        *Network
	previous *transports.Account
}

// Cancel has nothing to free.
func (l *login) Cancel() {}

// Next asks for the token, then tries it.
func (l *login) Next(ctx context.Context, answers map[string]string) (transports.Step, error) {
	if answers == nil {
		return transports.Step{
			Text: "The token of your Discord bot. People of the servers that it is in become your contacts; what you write in channels appears under your own name.",
			Form: []transports.Field{
				{Key: "token", Label: "Bot token", Help: "Your application → Bot → Reset Token", Secret: true},
			},
		}, nil
	}
	token := strings.TrimPrefix(strings.TrimSpace(answers["token"]), "Bot ")
	if token == "" || strings.ContainsAny(token, " \r\n\t") {
		return transports.Step{}, transports.Refuse("not-acceptable", "that is no bot token", nil)
	}
	account, err := l.try(ctx, token)
	if err != nil {
		return transports.Step{}, err
	}
	return transports.Step{Text: "Linked: " + account.Name, Done: account}, nil
}

// Flags of an application that say which privileged intents are on (docs: Application Flags).
const (
	flagPresence        = 1<<12 | 1<<13
	flagMembers         = 1<<14 | 1<<15
	flagMessageContents = 1<<18 | 1<<19
)

func (l *login) try(ctx context.Context, token string) (*transports.Account, error) {
	rest := l.n.rest(token)
	bot, err := rest.User("@me", discordgo.WithContext(ctx))
	if err != nil {
		if transports.ClassOf(classify(err)) == transports.NeedLogin {
			return nil, transports.Refuse("not-acceptable", "Discord does not accept this token", err)
		}
		return nil, classify(err)
	}
	if l.previous != nil && l.previous.User != transports.UserID(bot.ID) {
		return nil, transports.Refuse("not-acceptable", "this is the token of another bot ("+bot.Username+"): link that one anew instead", nil)
	}
	body, err := rest.RequestWithBucketID(http.MethodGet, discordgo.EndpointOAuth2Application("@me"), nil, discordgo.EndpointOAuth2Application(""), discordgo.WithContext(ctx))
	if err != nil {
		return nil, classify(err)
	}
	var app struct {
		ID    string `json:"id"`
		Flags int    `json:"flags"`
	}
	if err := json.Unmarshal(body, &app); err != nil {
		return nil, transports.Later(0, err)
	}
	if missing := missingIntents(app.Flags); missing != "" {
		return nil, transports.Refuse("not-acceptable", intentHelp(missing), nil)
	}
	secret, err := json.Marshal(credentials{Token: token, App: app.ID, Bot: bot.ID, Name: bot.Username})
	if err != nil {
		return nil, err
	}
	account := &transports.Account{User: transports.UserID(bot.ID), Name: bot.Username, Secret: secret}
	if l.previous != nil {
		account.ID = l.previous.ID
	}
	return account, nil
}

func missingIntents(flags int) string {
	var missing []string
	for _, i := range []struct {
		flags int
		name  string
	}{{flagPresence, "Presence Intent"}, {flagMembers, "Server Members Intent"}, {flagMessageContents, "Message Content Intent"}} {
		if flags&i.flags == 0 {
			missing = append(missing, i.name)
		}
	}
	return strings.Join(missing, ", ")
}

func intentHelp(missing string) string {
	return "the bot lacks " + missing + ": switch it on at discord.com/developers/applications → your application → Bot → Privileged Gateway Intents, then link again"
}
