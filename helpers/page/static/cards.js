// Plays a card's moment: seek, play, stop. Each gallery finds its own player.
document.querySelectorAll(".unit-cards:not([data-ready])").forEach(box => {
  box.dataset.ready = "";
  const audio = box.querySelector("audio");
  let timer, button;
  const stop = () => {
    clearTimeout(timer);
    audio.pause();
    if (button) button.classList.remove("plays");
    button = null;
  };
  box.addEventListener("click", event => {
    const pressed = event.target.closest("button[data-from]");
    if (!pressed) return;
    const same = pressed === button;
    stop();
    if (same) return;
    button = pressed;
    button.classList.add("plays");
    audio.currentTime = +pressed.dataset.from;
    audio.play().then(() => {
      if (button === pressed) timer = setTimeout(stop, 1000 * pressed.dataset.for);
    }, () => button === pressed && stop());
  });
});
