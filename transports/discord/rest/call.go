package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/dragoman-im/dragoman/transports/lenientjson"
)

// maxAnswer bounds one answer of the REST API: a page of a thousand members is about a megabyte.
const maxAnswer = 32 << 20

// maxMessage is how much of Discord's own words is kept, in bytes.
const maxMessage = 200

// Agent is how a bot has to name itself (docs: User Agent).
const Agent = "DiscordBot (https://github.com/dragoman-im/dragoman, 1)"

// API calls the REST API with one token.
type API struct {
	http   *http.Client
	base   *url.URL
	token  string // without "Bot "
	limits *limits
	log    *slog.Logger
}

// New makes a client of the API at base.
func New(client *http.Client, base *url.URL, token string, log *slog.Logger) *API {
	return &API{http: client, base: base, token: token, limits: newLimits(), log: log}
}

// HookRoute begins the routes of what is done with a webhook's token.
const HookRoute = "/webhooks/{}/{}"

// Request is one call. Its route holds a {} for each of args, and is all of it that is in errors.
type Request struct {
	Method string
	Route  string // "/channels/{}/messages"
	Args   []string
	Query  url.Values
	Body   any
	Files  []File       // beside Body, which describes them
	HTTP   *http.Client // nil: that of the API; for large files one without a short timeout
}

// Get makes a request that reads.
func Get(route string, args ...string) Request {
	return Request{Method: http.MethodGet, Route: route, Args: args}
}

// limitKey returns what the request's rate limit depends on: its route, and the parameter for each value of which there is
// a limit of its own (docs: Rate Limits, Top-Level Resources).
func (r Request) limitKey() (route, major string) {
	n := 0
	switch {
	case strings.HasPrefix(r.Route, "/channels/{}"), strings.HasPrefix(r.Route, "/guilds/{}"):
		n = 1
	case strings.HasPrefix(r.Route, HookRoute):
		n = 2
	}
	return r.Method + " " + r.Route, strings.Join(r.Args[:min(n, len(r.Args))], "/")
}

func (r Request) path() string {
	path := r.Route
	for _, a := range r.Args {
		path = strings.Replace(path, "{}", url.PathEscape(a), 1)
	}
	return path
}

// Call makes a request and decodes the answer into out, which may be nil.
func (a *API) Call(ctx context.Context, r Request, out any) error {
	route, major := r.limitKey()
	if err := a.limits.wait(ctx, route, major); err != nil {
		return err
	}
	httpRequest, err := a.prepare(ctx, r)
	if err != nil {
		return fmt.Errorf("%s: %w", route, err)
	}
	client := a.http
	if r.HTTP != nil {
		client = r.HTTP
	}
	answer, err := client.Do(httpRequest)
	if err != nil {
		return fmt.Errorf("%s: %w", route, Bare(err))
	}
	defer func() { _ = answer.Body.Close() }() // the body was read: an error of Close changes nothing
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer+1))
	if err != nil {
		return fmt.Errorf("%s: read the answer: %w", route, Bare(err))
	}
	a.limits.learn(route, major, answer.Header)
	if answer.StatusCode >= 300 {
		e := refusal(route, answer, body)
		a.limits.refused(route, major, e)
		return e
	}
	if out == nil || answer.StatusCode == http.StatusNoContent {
		return nil
	}
	if len(body) > maxAnswer {
		return fmt.Errorf("%s: an answer of more than %d bytes", route, maxAnswer)
	}
	left, err := lenientjson.Unmarshal(body, out)
	if err != nil {
		return fmt.Errorf("%s: %w: %w", route, errNonsense, err)
	}
	if len(left) > 0 {
		a.log.Warn("an answer of discord has values of other types, which are left out", "route", route, "values", left)
	}
	return nil
}

func (a *API) prepare(ctx context.Context, r Request) (*http.Request, error) {
	u := *a.base
	u.RawPath = a.base.EscapedPath() + "/v10" + r.path()
	path, err := url.PathUnescape(u.RawPath)
	if err != nil {
		return nil, errors.New("not a path")
	}
	u.Path = path
	u.RawQuery = r.Query.Encode()
	var body io.Reader
	if r.Body != nil {
		data, err := json.Marshal(r.Body)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(data)
		if len(r.Files) > 0 {
			return a.multipart(ctx, r, u.String(), data)
		}
	}
	httpRequest, err := http.NewRequestWithContext(ctx, r.Method, u.String(), body)
	if err != nil {
		return nil, errors.New("not an address") // the error would quote it
	}
	if body != nil {
		httpRequest.Header.Set("Content-Type", "application/json")
	}
	a.authorise(r, httpRequest)
	return httpRequest, nil
}

func (a *API) authorise(r Request, httpRequest *http.Request) {
	httpRequest.Header.Set("User-Agent", Agent)
	if !strings.HasPrefix(r.Route, HookRoute) { // their token is in the address
		httpRequest.Header.Set("Authorization", "Bot "+a.token)
	}
}

// Bare removes the address that net/http adds to an error, since it may contain a webhook's token.
func Bare(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}

// errNonsense means an answer that is not JSON, such as a proxy's page.
var errNonsense = errors.New("the answer is not JSON")

// Error is an answer that is no success.
type Error struct {
	Route   string
	Status  int
	Code    int // Discord's own, 0 where there is none
	Message string
	After   time.Duration // how long to wait; of status 429 only
	Global  bool
}

// Error is the answer in words.
func (e *Error) Error() string {
	return fmt.Sprintf("%s: status %d, code %d: %s", e.Route, e.Status, e.Code, e.Message)
}

// hook reports that the call was made with a webhook's token, and not with the login's.
func (e *Error) hook() bool { return strings.Contains(e.Route, " "+HookRoute) }

func refusal(route string, answer *http.Response, body []byte) *Error {
	e := &Error{Route: route, Status: answer.StatusCode, Message: http.StatusText(answer.StatusCode)}
	var reported struct {
		Code    int     `json:"code"`
		Message string  `json:"message"`
		After   float64 `json:"retry_after"` // seconds
		Global  bool    `json:"global"`
	}
	if _, err := lenientjson.Unmarshal(body, &reported); err == nil {
		e.Code, e.Global = reported.Code, reported.Global
		if reported.Message != "" {
			e.Message = strings.ToValidUTF8(reported.Message[:min(len(reported.Message), maxMessage)], "")
		}
		e.After = seconds(reported.After)
	}
	if answer.StatusCode == http.StatusTooManyRequests && e.After <= 0 {
		e.After = max(RetryAfter(answer.Header), time.Second) // Cloudflare's answers have no JSON
	}
	return e
}
