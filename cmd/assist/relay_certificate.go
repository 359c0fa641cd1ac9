package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/caddyserver/certmagic"
	"go.uber.org/zap"

	"assist/session/broker"
	"assist/transport"
)

// quiet is for what web servers tell of every stranger's failed handshake.
var quiet = log.New(io.Discard, "", 0)

// certificate is what the relay shows: over QUIC with config, over TCP with web. pin names its key, once it has one.
type certificate struct {
	config, web *tls.Config
	pin         func(context.Context) (transport.Pin, error)
	named       string // the pin of a self-made certificate: who is to know the relay has to be told
}

func openCertificate(f *relayFlags, dir string) (certificate, error) {
	switch {
	case f.acme != "":
		return acmeCertificate(f, dir)
	case f.cert != "":
		files := &certFiles{cert: f.cert, key: f.key}
		return certificateFrom(files.get)
	}
	names := []string{"localhost"}
	if host, _, err := net.SplitHostPort(f.listen); err == nil && host != "" && net.ParseIP(host) == nil {
		names = append(names, host)
	}
	cert, err := broker.SelfSigned(dir, names)
	if err != nil {
		return certificate{}, err
	}
	c, err := certificateFrom(func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return &cert, nil })
	if err != nil {
		return c, err
	}
	pin, err := pinOf(&cert)
	c.named = string(pin)
	return c, err
}

func certificateFrom(get func(*tls.ClientHelloInfo) (*tls.Certificate, error)) (certificate, error) {
	cert, err := get(nil)
	if err != nil {
		return certificate{}, err
	}
	return certificate{
		config: &tls.Config{GetCertificate: get, MinVersion: tls.VersionTLS13},
		web:    &tls.Config{GetCertificate: get, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}},
		pin:    func(context.Context) (transport.Pin, error) { return pinOf(cert) },
	}, nil
}

func pinOf(cert *tls.Certificate) (transport.Pin, error) {
	leaf := cert.Leaf
	if leaf == nil {
		var err error
		if leaf, err = x509.ParseCertificate(cert.Certificate[0]); err != nil {
			return "", fmt.Errorf("certificate: %w", err)
		}
	}
	return transport.FingerprintOf(leaf).Pin(), nil
}

// certFiles is a certificate in files that something else renews.
type certFiles struct {
	cert, key string

	mu     sync.Mutex
	looked time.Time
	dated  time.Time
	now    *tls.Certificate
}

// get looks at the files once a minute; one that cannot be read leaves the certificate as it was.
func (c *certFiles) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.now != nil && time.Since(c.looked) < time.Minute {
		return c.now, nil
	}
	c.looked = time.Now()
	st, err := os.Stat(c.cert)
	if err == nil && (c.now == nil || !st.ModTime().Equal(c.dated)) {
		var fresh tls.Certificate
		if fresh, err = tls.LoadX509KeyPair(c.cert, c.key); err == nil {
			c.now, c.dated = &fresh, st.ModTime()
		}
	}
	if c.now == nil {
		return nil, fmt.Errorf("read certificate: %w", err)
	}
	return c.now, nil
}

// acmeCertificate gets and renews a certificate by TLS-ALPN-01 (RFC 8737) on the relay's own TCP port. The key stays the same
// over renewals, so that pins stay right.
func acmeCertificate(f *relayFlags, dir string) (certificate, error) {
	_, port, err := net.SplitHostPort(f.listen)
	if err != nil {
		return certificate{}, fmt.Errorf("listen: %w", err)
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		return certificate{}, fmt.Errorf("listen: %w", err)
	}
	var magic *certmagic.Config
	cache := certmagic.NewCache(certmagic.CacheOptions{
		GetConfigForCert: func(certmagic.Certificate) (*certmagic.Config, error) { return magic, nil }, Logger: zap.NewNop(),
	})
	magic = certmagic.New(cache, certmagic.Config{
		Storage: &certmagic.FileStorage{Path: filepath.Join(dir, "acme")}, ReusePrivateKeys: true, Logger: zap.NewNop(),
	})
	magic.Issuers = []certmagic.Issuer{certmagic.NewACMEIssuer(magic, certmagic.ACMEIssuer{
		CA: certmagic.LetsEncryptProductionCA, Agreed: true, DisableHTTPChallenge: true, AltTLSALPNPort: n, Logger: zap.NewNop(),
	})}
	web := magic.TLSConfig()
	web.NextProtos = append([]string{"h2", "http/1.1"}, web.NextProtos...)
	return certificate{
		config: &tls.Config{GetCertificate: magic.GetCertificate, MinVersion: tls.VersionTLS13},
		web:    web,
		pin: func(ctx context.Context) (transport.Pin, error) {
			if err := magic.ManageSync(ctx, []string{f.acme}); err != nil {
				return "", fmt.Errorf("certificate for %s: %w", f.acme, err)
			}
			cert, err := magic.CacheManagedCertificate(ctx, f.acme)
			if err != nil {
				return "", fmt.Errorf("certificate for %s: %w", f.acme, err)
			}
			return pinOf(&cert.Certificate)
		},
	}, nil
}
