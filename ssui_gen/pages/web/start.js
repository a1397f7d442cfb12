beginFrame();
