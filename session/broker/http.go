package broker

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// The join page is one file; its style and its script are let through by their hashes and nothing else is.
var (
	//go:embed page/join.html
	joinHTML string
	//go:embed page/join.css
	joinCSS string
	//go:embed page/join.js
	joinJS string

	joinPage = template.Must(template.New("join").Parse(joinHTML))
	policy   = fmt.Sprintf("default-src 'none'; style-src '%s'; script-src '%s'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
		sourceHash(joinCSS), sourceHash(joinJS))
)

// codeRule is all that the page ever repeats of an address. It says nothing of whether there is such a code.
var codeRule = regexp.MustCompile(`^[0-9]{8}$`)

// hostRule is what of a Host header may stand in a command to copy.
var hostRule = regexp.MustCompile(`^(\[[0-9A-Fa-f:]+\]|[A-Za-z0-9.-]+)(:[0-9]{1,5})?$`)

// sourceHash is a source of CSP level 3, 2.3.1.
func sourceHash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// HTTP answers browsers and probes on the relay's TCP port: /healthz, and /j/CODE, the page behind a join address. The host's
// key in such an address is its fragment, which no browser sends here. key is the relay's own, where commands have to name it.
func (b *Broker) HTTP(key string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) {
		if b.draining() || r.Context().Err() != nil || b.store.Ping(r.Context()) != nil {
			http.Error(w, "going down", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ok")
	})
	mux.HandleFunc("GET /j/{code}", func(w http.ResponseWriter, r *http.Request) { joinPageOf(w, r, key) })
	return headers(mux)
}

func headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Strict-Transport-Security", "max-age=31536000")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

func joinPageOf(w http.ResponseWriter, r *http.Request, key string) {
	code := r.PathValue("code")
	if !codeRule.MatchString(code) || !hostRule.MatchString(r.Host) {
		http.NotFound(w, r)
		return
	}
	var page bytes.Buffer
	err := joinPage.Execute(&page, map[string]any{
		"Code": code, "Spaced": code[:4] + "\u00a0" + code[4:], "Digits": strings.Join(strings.Split(code, ""), " "), "Relay": r.Host, "Key": key,
		"Open": template.URL("assist://join/" + code + "?relay=" + url.QueryEscape(r.Host)), // both were matched
		"CSS":  template.CSS(joinCSS), "JS": template.JS(joinJS),
	})
	if err != nil {
		http.Error(w, "the page failed", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = page.WriteTo(w) // the browser may have gone
}
