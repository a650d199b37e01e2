package discord

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// maxAnswer bounds one answer of the REST API: a page of a thousand members is about a megabyte.
const maxAnswer = 32 << 20

// agent is how a bot has to name itself (docs: User Agent).
const agent = "DiscordBot (https://github.com/dragoman-im/dragoman, 1)"

// api calls the REST API with one token. It is our own and not discordgo's: that one sleeps through
// rate limits without looking at the context, reads answers of any size, and its errors quote the
// addresses of webhooks, which are secrets.
type api struct {
	http   *http.Client
	base   *url.URL
	token  string // without "Bot "
	limits *limits
}

// hookRoute begins the routes of what is done with a webhook's token.
const hookRoute = "/webhooks/{}/{}"

// request is one call. Its route holds a {} for each of args, and is all of it that is in errors.
type request struct {
	method string
	route  string // "/channels/{}/messages"
	args   []string
	query  url.Values
	body   any
}

func get(route string, args ...string) request {
	return request{method: http.MethodGet, route: route, args: args}
}

// where is the request's place among rate limits: its route and the parameter that each has a
// limit of its own for (docs: Rate Limits, Top-Level Resources).
func (r request) where() (route, major string) {
	n := 0
	switch {
	case strings.HasPrefix(r.route, "/channels/{}"), strings.HasPrefix(r.route, "/guilds/{}"):
		n = 1
	case strings.HasPrefix(r.route, hookRoute):
		n = 2
	}
	return r.method + " " + r.route, strings.Join(r.args[:min(n, len(r.args))], "/")
}

func (r request) path() string {
	path := r.route
	for _, a := range r.args {
		path = strings.Replace(path, "{}", url.PathEscape(a), 1)
	}
	return path
}

// call makes a request and decodes the answer into out, which may be nil.
func (a *api) call(ctx context.Context, r request, out any) error {
	route, major := r.where()
	if err := a.limits.wait(ctx, route, major); err != nil {
		return err
	}
	httpRequest, err := a.prepare(ctx, r)
	if err != nil {
		return fmt.Errorf("%s: %w", route, err)
	}
	answer, err := a.http.Do(httpRequest)
	if err != nil {
		return fmt.Errorf("%s: %w", route, bare(err))
	}
	defer func() { _ = answer.Body.Close() }() // it was read as far as it matters
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer+1))
	if err != nil {
		return fmt.Errorf("%s: read the answer: %w", route, bare(err))
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
	if err := json.Unmarshal(body, out); err != nil {
		return fmt.Errorf("%s: %w: %w", route, errNonsense, err)
	}
	return nil
}

func (a *api) prepare(ctx context.Context, r request) (*http.Request, error) {
	u := *a.base
	u.RawPath = a.base.EscapedPath() + "/v10" + r.path()
	path, err := url.PathUnescape(u.RawPath)
	if err != nil {
		return nil, errors.New("not a path")
	}
	u.Path = path
	u.RawQuery = r.query.Encode()
	var body io.Reader
	if r.body != nil {
		data, err := json.Marshal(r.body)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(data)
	}
	httpRequest, err := http.NewRequestWithContext(ctx, r.method, u.String(), body)
	if err != nil {
		return nil, errors.New("not an address") // the error would quote it
	}
	httpRequest.Header.Set("User-Agent", agent)
	if body != nil {
		httpRequest.Header.Set("Content-Type", "application/json")
	}
	if !strings.HasPrefix(r.route, hookRoute) { // their token is in the address
		httpRequest.Header.Set("Authorization", "Bot "+a.token)
	}
	return httpRequest, nil
}

// bare takes off what net/http puts round an error: the address, which may hold a webhook's token.
func bare(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}

// errNonsense is an answer that is no JSON, of a proxy perhaps.
var errNonsense = errors.New("the answer makes no sense")

// apiError is an answer that is no success.
type apiError struct {
	route   string
	status  int
	code    int // Discord's own, 0 where there is none
	message string
	after   time.Duration // of a 429
	global  bool
}

func (e *apiError) Error() string {
	return fmt.Sprintf("%s: status %d, code %d: %s", e.route, e.status, e.code, e.message)
}

// hook reports that the call was made with a webhook's token, and not with the login's.
func (e *apiError) hook() bool { return strings.Contains(e.route, " "+hookRoute) }

func refusal(route string, answer *http.Response, body []byte) *apiError {
	e := &apiError{route: route, status: answer.StatusCode, message: http.StatusText(answer.StatusCode)}
	var reported struct {
		Code    int     `json:"code"`
		Message string  `json:"message"`
		After   float64 `json:"retry_after"` // seconds
		Global  bool    `json:"global"`
	}
	if json.Unmarshal(body, &reported) == nil {
		e.code, e.global = reported.Code, reported.Global
		if reported.Message != "" {
			e.message = shorten(reported.Message, 200)
		}
		e.after = seconds(reported.After)
	}
	if answer.StatusCode == http.StatusTooManyRequests && e.after <= 0 {
		e.after = max(headerSeconds(answer.Header, "Retry-After"), time.Second) // Cloudflare's answers have no JSON
	}
	return e
}

// shorten cuts a text to at most n characters.
func shorten(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}
