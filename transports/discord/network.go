package discord

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/bwmarrin/discordgo"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/discord/content"
	"github.com/dragoman-im/dragoman/transports/discord/rest"
)

// maxText is the longest content of a message in characters (docs: Create Message).
const maxText = 2000

// defaultAPI is where Discord's REST API is.
const defaultAPI = "https://discord.com/api/"

// version is what a base may end with; we add our own.
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
	o     Options
	base  *url.URL
	http  *http.Client
	media *http.Client // for files, which may take long
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
	if o.RetryMax <= 0 {
		o.RetryMax = 5 * time.Minute
	}
	o.RetryMax = max(o.RetryMax, o.RetryMin)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.ResponseHeaderTimeout = o.Timeout
	return &Network{
		o: o, base: base, http: &http.Client{Timeout: o.Timeout, Transport: transport, CheckRedirect: refuseRedirect},
		media: &http.Client{Transport: transport, CheckRedirect: refuseRedirect},
	}, nil
}

// refuseRedirect keeps tokens from going where an answer sends them.
func refuseRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// Info describes Discord.
func (n *Network) Info() transports.Info {
	return transports.Info{
		Kind: "discord", Name: "Discord", Short: "discord", Type: "discord", Caps: transports.Caps{
			MessageCaps: transports.MessageCaps{
				Edit: true, Delete: true, Moderate: true, React: true, Typing: true, History: true, Relay: true, Media: true, Reply: true, Repeatable: true, MentionAll: true,
			},
			RoomCaps:   transports.RoomCaps{Directory: true, Direct: true, Members: true, Spaces: true, Narrow: true},
			PeopleCaps: transports.PeopleCaps{Presence: true, Profiles: true},
			Limits:     transports.Limits{MaxText: maxText, Length: content.Length, Files: transports.FileLimits{Count: maxFiles, Size: maxFileSize}},
			Changes:    []transports.ChangeKind{transports.ChangeTopic},
		},
		Origin: n.origin(),
	}
}

// origin is where the network is, if not at Discord: there its pictures are too.
func (n *Network) origin() string {
	if n.o.APIURL == defaultAPI {
		return ""
	}
	return n.base.Scheme + "://" + n.base.Host
}

// ClientType lets the contract be checked at start.
func (n *Network) ClientType() transports.Client { return (*client)(nil) }

// credentials are a login's secret.
type credentials struct {
	Token string `json:"token"`
	App   string `json:"app"`
	Bot   string `json:"bot"` // the bot's user id
	Name  string `json:"name"`
}

// String keeps the token out of logs.
func (c credentials) String() string { return "the tokens of " + c.Name }

// GoString keeps the token out of %#v.
func (c credentials) GoString() string { return c.String() }

// permissions are what the bot is invited with (docs: Permissions): view channels, send messages, also in threads,
// read history, add reactions, attach files, embed links, use other servers' emoji, manage webhooks and messages.
const permissions = discordgo.PermissionViewChannel | discordgo.PermissionSendMessages | discordgo.PermissionSendMessagesInThreads |
	discordgo.PermissionReadMessageHistory | discordgo.PermissionAddReactions | discordgo.PermissionAttachFiles | discordgo.PermissionEmbedLinks |
	discordgo.PermissionUseExternalEmojis | discordgo.PermissionManageWebhooks | discordgo.PermissionManageMessages

// invitation is the page where the owner of a server lets the bot in.
func (c credentials) invitation() string {
	return "https://discord.com/oauth2/authorize?client_id=" + url.QueryEscape(c.App) + "&scope=bot&permissions=" + strconv.Itoa(permissions)
}

// api makes a client for one token.
func (n *Network) api(token string) *rest.API { return rest.New(n.http, n.base, token, n.o.Log) }

// Open connects a login.
func (n *Network) Open(ctx context.Context, login transports.Login, sink transports.Sink) (transports.Client, error) {
	var c credentials
	if err := json.Unmarshal(login.Secret, &c); err != nil {
		return nil, transports.Relink("the account's token cannot be read: link it again", err)
	}
	s := newClient(n, login, c, sink)
	if err := s.api.Call(ctx, rest.Get("/users/@me"), nil); err != nil {
		return nil, rest.Classify(err)
	}
	s.start()
	return s, nil
}
