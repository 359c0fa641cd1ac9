package broker

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

func get(h http.Handler, host, path string) *http.Response {
	r := httptest.NewRequest(http.MethodGet, "https://"+host+"/", nil)
	r.URL.Path = path
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func TestJoinPage(t *testing.T) {
	h := (&Broker{}).HTTP("")
	for _, c := range []struct {
		host, path string
		want       int
	}{
		{"relay.example:8443", "/j/01234567", 200},
		{"[2001:db8::1]:8443", "/j/01234567", 200},
		{"relay.example", "/j/0123456", 404},
		{"relay.example", "/j/012345678", 404},
		{"relay.example", "/j/0123456a", 404},
		{"relay.example", "/j/<script>", 404},
		{"relay.example", "/j/", 404},
		{"relay.example", "/j/01234567/x", 404},
		{"relay.example", "/j/٠١٢٣٤٥٦٧", 404},
		{"relay.example", "/", 404},
	} {
		if got := get(h, c.host, c.path); got.StatusCode != c.want {
			t.Errorf("%s%s: %d, want %d", c.host, c.path, got.StatusCode, c.want)
		} else if p := got.Header.Get("Content-Security-Policy"); !strings.HasPrefix(p, "default-src 'none';") || strings.Contains(p, "unsafe") {
			t.Errorf("%s%s: policy %q", c.host, c.path, p)
		}
	}
}

func TestHostHeaderDoesNotReachTheCommand(t *testing.T) {
	h := (&Broker{}).HTTP("")
	for _, host := range []string{"a'b", "a b", "a;reboot", "a$(x)", "a\"", "<b>", "a:b", "a:123456", ""} {
		r := httptest.NewRequest(http.MethodGet, "/j/01234567", nil)
		r.Host = host
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != http.StatusNotFound {
			t.Errorf("host %q: %d", host, w.Code)
		}
	}
}

// The policy lets exactly the page's own style and script through: what stands between the tags must have the announced hash.
func TestPolicyFitsThePage(t *testing.T) {
	w := httptest.NewRecorder()
	(&Broker{}).HTTP("").ServeHTTP(w, httptest.NewRequest(http.MethodGet, "https://relay.example:8443/j/01234567", nil))
	page, p := w.Body.String(), w.Header().Get("Content-Security-Policy")
	for directive, tag := range map[string]string{"style-src": "style", "script-src": "script"} {
		m := regexp.MustCompile(`(?s)<` + tag + `>(.*)</` + tag + `>`).FindStringSubmatch(page)
		if m == nil {
			t.Fatalf("no <%s> in the page", tag)
		}
		if want := directive + " '" + sourceHash(m[1]) + "'"; !strings.Contains(p, want) {
			t.Errorf("%s is not let through: policy %q", tag, p)
		}
	}
	for _, want := range []string{"assist join 01234567 --relay relay.example:8443", "assist host 01234567 --relay relay.example:8443", ">0 1 2 3 4 5 6 7<", `lang="en"`, "<h1>", `role="status"`, "0123\u00a04567"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page has no %q", want)
		}
	}
	w = httptest.NewRecorder()
	(&Broker{}).HTTP("1.abc").ServeHTTP(w, httptest.NewRequest(http.MethodGet, "https://relay.example:8443/j/01234567", nil))
	if want := "assist host 01234567 --relay relay.example:8443 --relay-key 1.abc<"; !strings.Contains(w.Body.String(), want) {
		t.Errorf("a relay with a self-made key: no %q", want)
	}
	page = strings.Replace(page, `href="assist://join/01234567?relay=relay.example%3A8443"`, "", 1)
	if m := regexp.MustCompile(`(?i)(src|href|action)=|@import|url\(`).FindString(page); m != "" {
		t.Errorf("the page loads or links something else: %q", m)
	}
}

func TestHealth(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		if got := get(w.b.HTTP(""), "relay.example", "/healthz").StatusCode; got != http.StatusOK {
			t.Errorf("serving: %d", got)
		}
		w.b.Drain()
		if got := get(w.b.HTTP(""), "relay.example", "/healthz").StatusCode; got != http.StatusServiceUnavailable {
			t.Errorf("draining: %d", got)
		}
	})
}
