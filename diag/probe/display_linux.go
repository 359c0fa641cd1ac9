package probe

import (
	"context"
	"os"
	"path/filepath"
	"strings"
)

func displays(_ context.Context, m *Machine, s *section) {
	m.cards(s)
	s.under("connectors", "", func() {
		for _, dir := range m.glob("/sys/class/drm/card*-*") {
			if st := m.word(dir + "/status"); st != "" {
				mode, _, _ := strings.Cut(m.word(dir+"/modes"), "\n")
				s.text(filepath.Base(dir), strings.TrimSpace(st+" "+mode))
			}
		}
	})
	s.text("frame buffer", strings.Join(m.lines("/proc/fb"), ", "))
	s.under("sessions", "", func() {
		for _, path := range m.glob("/tmp/.X11-unix/X*") {
			s.text("X11 display :"+strings.TrimPrefix(filepath.Base(path), "X"), "there")
		}
		for _, path := range m.glob("/run/user/*/wayland-*") {
			if !strings.HasSuffix(path, ".lock") {
				s.text("Wayland "+filepath.Base(path), "of user "+filepath.Base(filepath.Dir(path)))
			}
		}
		if m.Root == "" {
			s.text("this program's", strings.TrimSpace(os.Getenv("XDG_SESSION_TYPE")+" "+os.Getenv("DISPLAY")+" "+os.Getenv("WAYLAND_DISPLAY")))
		}
	})
	if len(s.category.Items) == 0 {
		s.note("display and GPU: no graphics card and no desktop here")
	}
}

// cards lists graphics cards: PCI class 03.
func (m *Machine) cards(s *section) {
	ids := m.pciNames()
	for _, dev := range m.list("/sys/bus/pci/devices") {
		dir := "/sys/bus/pci/devices/" + dev
		if !strings.HasPrefix(m.word(dir+"/class"), "0x03") {
			continue
		}
		vendor, device := strings.TrimPrefix(m.word(dir+"/vendor"), "0x"), strings.TrimPrefix(m.word(dir+"/device"), "0x")
		name := strings.TrimSpace(ids[vendor] + " " + ids[vendor+":"+device])
		if name == "" {
			name = vendor + ":" + device
		}
		driver, _ := os.Readlink(m.at(dir + "/driver"))
		s.under("card "+dev, name, func() { s.text("driver", filepath.Base(driver)) })
	}
	for _, gpu := range m.glob("/proc/driver/nvidia/gpus/*/information") {
		for _, line := range m.lines(gpu) {
			if k, v, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(k) == "Model" {
				s.text("NVIDIA", strings.TrimSpace(v))
			}
		}
	}
	if v := m.lines("/proc/driver/nvidia/version"); len(v) > 0 {
		s.text("NVIDIA driver", v[0])
	}
	s.under("render nodes", "", func() {
		for _, node := range m.glob("/dev/dri/*") {
			s.text(filepath.Base(node), "there")
		}
	})
}

// pciNames reads the names of vendors and devices where they are installed: pci.ids(5).
func (m *Machine) pciNames() map[string]string {
	out := map[string]string{}
	lines := m.lines("/usr/share/misc/pci.ids")
	if len(lines) == 0 {
		lines = m.lines("/usr/share/hwdata/pci.ids")
	}
	vendor := ""
	for _, line := range lines {
		switch {
		case line == "" || line[0] == '#' || strings.HasPrefix(line, "\t\t"):
		case strings.HasPrefix(line, "C "):
			return out
		case line[0] == '\t':
			if id, name, ok := strings.Cut(line[1:], "  "); ok {
				out[vendor+":"+id] = name
			}
		default:
			if id, name, ok := strings.Cut(line, "  "); ok {
				vendor, out[id] = id, name
			}
		}
	}
	return out
}
